import { z } from 'zod';

import { forbidden, isRoomId, isUserId, type JsonObject } from '@seneschal/matrix';

/** What PostgreSQL's text cannot hold, or not as it came. */
const unstorable = /\0|\p{Surrogate}/u;

/** Text that may be stored and looked up. */
export function text(maximumLength = 255): z.ZodType<string> {
  return z
    .string()
    .max(maximumLength)
    .refine((value) => !unstorable.test(value), 'holds a NUL or half a surrogate pair');
}

/** A member that may be missing or null, which is the same. */
export function optional<T>(schema: z.ZodType<T>): z.ZodType<T | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'is not an object',
);

export const deviceId = text().refine((value) => value !== '', 'is empty');
export const userId = text().refine(isUserId, 'is not a user ID');
export const roomId = text().refine(isRoomId, 'is not a room ID');
export const empty = z.strictObject({});

/** Throws M_FORBIDDEN where a user reaches for what belongs to another. */
export function requireSelf(requester: { userId: string }, userId: string): void {
  if (requester.userId !== userId) throw forbidden('This belongs to another user.');
}
