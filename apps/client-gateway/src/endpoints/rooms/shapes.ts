import { fitsIdentifier, isJsonObject, isServerName, isUserId, type JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

/** Text for the database, which takes no NUL. */
export const text = z.string().refine((value) => !value.includes('\0'), 'has a NUL character');

/** An identifier, event type, state key or transaction ID as it stands in a path. */
export const identifier = text.refine(fitsIdentifier, 'is longer than 255 bytes');

export const userId = identifier.refine(isUserId, 'is not a user ID');

export const jsonObject = z.custom<JsonObject>(isJsonObject, 'is not a JSON object');

export const roomParams = z.object({ roomId: identifier });
export const reasonBody = z.object({ reason: z.string().optional() });
export const targetBody = z.object({ user_id: userId, reason: z.string().optional() });
export const empty = z.object({});
export const roomIdAnswer = z.object({ room_id: z.string() });
export const eventIdAnswer = z.object({ event_id: z.string() });

/** A whole number in a query. */
export const count = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a whole number')
  .transform(Number);

const servers = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat().filter((name) => isServerName(name)))
  .optional();

/** Servers to join or knock through; `server_name` is the older name. */
export const viaQuery = z.object({ via: servers, server_name: servers });

export function serversOf({ via = [], server_name: older = [] }: z.infer<typeof viaQuery>): string[] {
  return [...via, ...older];
}
