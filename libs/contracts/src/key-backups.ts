import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const empty = z.object({});

export const createKeyBackupVersion = command('userapi', 'createKeyBackupVersion', {
  input: z.object({ userId: z.string(), algorithm: z.string(), authData: jsonObject }),
  output: z.object({ version: z.string() }),
});

/** M_INVALID_PARAM when the algorithm is not the one of the backup. */
export const updateKeyBackupVersion = command('userapi', 'updateKeyBackupVersion', {
  input: z.object({
    userId: z.string(),
    version: z.string(),
    algorithm: z.string(),
    authData: jsonObject,
  }),
  output: empty,
});

export const deleteKeyBackupVersion = command('userapi', 'deleteKeyBackupVersion', {
  input: z.object({ userId: z.string(), version: z.string() }),
  output: empty,
});

/** One session of a key backup; what is in `sessionData` only the user can read. */
export const backedUpSession = z.object({
  roomId: z.string(),
  sessionId: z.string(),
  firstMessageIndex: z.number(),
  forwardedCount: z.number(),
  isVerified: z.boolean(),
  sessionData: jsonObject,
});
export type BackedUpSession = z.infer<typeof backedUpSession>;

/** How much is in a backup; `etag` is another one after every change. */
const backupSize = z.object({ count: z.number(), etag: z.string() });

/**
 * Stores sessions in a backup; of two of one ID the better one stays. M_NOT_FOUND without such a backup,
 * M_WRONG_ROOM_KEYS_VERSION when there is a newer one.
 */
export const storeBackedUpSessions = command('userapi', 'storeBackedUpSessions', {
  input: z.object({ userId: z.string(), version: z.string(), sessions: z.array(backedUpSession) }),
  output: backupSize,
});

/** Deletes one session, those of a room, or all of a backup. M_NOT_FOUND without such a backup. */
export const deleteBackedUpSessions = command('userapi', 'deleteBackedUpSessions', {
  input: z.object({
    userId: z.string(),
    version: z.string(),
    roomId: z.string().optional(),
    sessionId: z.string().optional(),
  }),
  output: backupSize,
});

/** One version of a user's key backup. */
export interface KeyBackupVersion {
  version: string;
  algorithm: string;
  authData: JsonObject;
  count: number;
  etag: string;
}
