import { isUserId, type JsonObject, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

/** What PostgreSQL's text cannot hold, or not as it came: one such text would fail all that is stored with it. */
const unstorable = /\0|\p{Surrogate}/u;

export function isStorable(given: string): boolean {
  return !unstorable.test(given);
}

/** Text that may be stored and looked up. */
export const text = z.string().min(1).max(255).refine(isStorable);

export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The ID of a user of a server. */
export function userOf(serverName: string): z.ZodType<string> {
  return z.string().refine((value) => isUserId(value) && serverNameOf(value) === serverName);
}
