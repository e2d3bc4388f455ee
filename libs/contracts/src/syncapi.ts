import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** Stores a sync filter; the same filter of the same user has the same ID. */
export const createFilter = command('syncapi', 'createFilter', {
  input: z.object({ userId: z.string(), filter: jsonObject }),
  output: z.object({ filterId: z.string() }),
});

/** Users of other servers type in rooms, or have stopped. Who they are, and where, has been checked by the caller. */
export const receiveTyping = command('syncapi', 'receiveTyping', {
  input: z.object({
    typing: z.array(z.object({ roomId: z.string(), userId: z.string(), isTyping: z.boolean() })),
  }),
  output: z.object({}),
});

export interface SyncRequest {
  userId: string;
  deviceId: string;
  since?: string;
  timeoutMs: number;
  /** A filter object, or the ID of a stored one. */
  filter?: JsonObject | string;
  fullState: boolean;
  /** Whether state is told as of the end of timelines (client-server API v1.16, `use_state_after`). */
  stateAfter?: boolean | undefined;
  signal: AbortSignal;
}

/** A page of `GET /notifications`; `from` is the `next` of the page before. */
export interface NotificationsRequest {
  userId: string;
  deviceId: string;
  from: string | undefined;
  limit: number;
  onlyHighlights: boolean;
}

export interface SyncapiForClient {
  /** What the user's push rules say yes to, the newest first. Throws M_INVALID_PARAM for a `from` that is none. */
  notifications(request: NotificationsRequest): Promise<{ notifications: JsonObject[]; next?: string }>;
  /** `GET /sync`: answers at once when there is something new, else when there is or the time is up. */
  sync(request: SyncRequest): Promise<JsonObject>;
  filter(userId: string, filterId: string): Promise<JsonObject | undefined>;
  /** `GET /keys/changes` between two tokens of sync. */
  keyChanges(userId: string, from: string, to: string): Promise<{ changed: string[]; left: string[] }>;
  /** A user types in a room for so long, in ms, or stops, with 0. */
  setTyping(typing: { roomId: string; userId: string; timeoutMs: number }): Promise<void>;
  /** The stream position within a token of sync or messages; throws M_INVALID_PARAM. */
  positionOf(token: string): number;
  /** A token for `/messages` that names a stream position. */
  tokenOf(position: number): string;
}
