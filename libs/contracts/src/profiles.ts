import type { JsonObject, JsonValue } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

/** What membership events show of a user. */
export interface Profile {
  displayname: string | null;
  avatarUrl: string | null;
}

/** A profile with the fields that no room shows, such as `m.tz`. */
export interface FullProfile extends Profile {
  fields: JsonObject;
}

/** A profile as clients, other servers and membership events have it: what is null is not there. */
export function profileContent({
  displayname,
  avatarUrl,
  fields,
}: Profile & Partial<FullProfile>): JsonObject {
  return {
    ...fields,
    ...(displayname === null ? {} : { displayname }),
    ...(avatarUrl === null ? {} : { avatar_url: avatarUrl }),
  };
}

/**
 * Sets what rooms show of a user; null empties it. Every room that the user is in follows, whatever dies meanwhile.
 * M_NOT_FOUND.
 */
export const setProfile = command('userapi', 'setProfile', {
  input: z.object({
    userId: z.string(),
    displayname: z.string().nullable().optional(),
    avatarUrl: z.string().nullable().optional(),
  }),
  output: z.object({}),
});

/** Sets another field of a profile, or removes it when there is no value. M_NOT_FOUND, M_PROFILE_TOO_LARGE. */
export const setProfileField = command('userapi', 'setProfileField', {
  input: z.object({
    userId: z.string(),
    name: z.string(),
    value: z.custom<JsonValue>().optional(),
  }),
  output: z.object({}),
});
