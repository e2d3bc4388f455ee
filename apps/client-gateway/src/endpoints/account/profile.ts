import { z } from 'zod';

import { federation, profileContent, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import {
  badJson,
  type JsonObject,
  type JsonValue,
  missingParam,
  notFound,
  own,
  serverNameOf,
} from '@seneschal/matrix';

import { requireLoggedIn } from '../logged-in.ts';
import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, requireSelf, text, userId } from './schemas.ts';
import { fieldName } from './profile-fields.ts';

type ProfileDeps = Pick<AccountDeps, 'bus' | 'userapi' | 'config'>;
type ProfileRequest = Parameters<typeof requireLoggedIn>[1];

const path = clientPaths('/profile/:userId/:keyName');
const params = z.object({ userId, keyName: fieldName });

export const profile = (deps: ProfileDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/profile/:userId'),
    access: 'public',
    rateLimit: 'read',
    summary: 'The profile of a user',
    params: z.object({ userId }),
    answer: jsonObject,
    handle: (request) => knownProfile(deps, request, request.params.userId),
  });

export const profileField = (deps: ProfileDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    rateLimit: 'read',
    summary: 'One field of the profile of a user, such as the display name',
    params,
    answer: jsonObject,
    handle: async (request) => {
      const { userId, keyName } = request.params;
      const value = own(await knownProfile(deps, request, userId), keyName);
      if (value === undefined) throw notFound('The profile of that user has no such field.');
      return { [keyName]: value };
    },
  });

export const setProfileField = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Set a field of the own profile; rooms follow a display name and an avatar',
    params,
    body: jsonObject,
    answer: empty,
    handle: async ({ requester, params: { userId, keyName }, body }) => {
      requireSelf(requester, userId);
      const value = own(body, keyName);
      if (value === undefined) throw missingParam(`${keyName} is missing.`);
      await set(deps, userId, keyName, value);
      return {};
    },
  });

export const deleteProfileField = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Remove a field from the own profile',
    params,
    answer: empty,
    handle: async ({ requester, params: { userId, keyName } }) => {
      requireSelf(requester, userId);
      await set(deps, userId, keyName, undefined);
      return {};
    },
  });

/** Display name and avatar are what rooms show, and other fields are not. */
async function set(
  { bus }: Pick<AccountDeps, 'bus'>,
  userId: string,
  name: string,
  value: JsonValue | undefined,
): Promise<void> {
  if (name === 'displayname') {
    await bus.call(userapi.setProfile, { userId, displayname: shown(name, value, text(256)) });
  } else if (name === 'avatar_url') {
    await bus.call(userapi.setProfile, { userId, avatarUrl: shown(name, value, text(1000)) });
  } else {
    if (name === 'm.tz' && typeof value !== 'string' && value !== undefined) {
      throw badJson('m.tz is the name of a time zone.');
    }
    await bus.call(userapi.setProfileField, { userId, name, ...(value === undefined ? {} : { value }) });
  }
}

/** What is empty, or null, is none. */
function shown(name: string, value: JsonValue | undefined, schema: z.ZodType<string>): string | null {
  if (value === undefined || value === null || value === '') return null;
  const checked = schema.safeParse(value);
  if (!checked.success) throw badJson(`${name}: ${checked.error.issues[0]?.message ?? 'not valid'}`);
  return checked.data;
}

/** Of users of other servers their own server is asked. M_NOT_FOUND for unknown ones. */
async function knownProfile(deps: ProfileDeps, request: ProfileRequest, userId: string): Promise<JsonObject> {
  if (serverNameOf(userId) !== deps.config.server_name) {
    await requireLoggedIn(deps, request);
    return (await deps.bus.call(federation.remoteProfile, { userId })).profile;
  }
  const found = await deps.userapi.profile(userId);
  if (found === undefined) throw notFound('There is no profile of that user.');
  return profileContent(found);
}
