import { z } from 'zod';

import { command } from './command.ts';

/**
 * Has a destination tried at once that is left alone after failures. M_NOT_FOUND for a server that nothing was ever sent
 * to. Repeated, it changes nothing.
 */
export const resetDestination = command('federation', 'resetDestination', {
  input: z.object({ serverName: z.string() }),
  output: z.object({}),
});

const blocked = z.object({
  /** In small letters: a server name, or `*.` and a domain for everything below it. */
  serverName: z.string(),
  note: z.string().nullable(),
  blockedBy: z.string(),
  blockedTs: z.number(),
});

/**
 * Blocks a server: from the commit on no process sends it anything or takes anything from it, and what was queued for it
 * is dropped. Repeated, it keeps when and by whom it was blocked first, and takes the new note.
 */
export const blockServer = command('federation', 'blockServer', {
  input: z.object({ serverName: z.string(), note: z.string().nullable(), blockedBy: z.string() }),
  output: blocked,
  timeoutMs: 120_000,
});

/** M_NOT_FOUND when there is no such entry. */
export const unblockServer = command('federation', 'unblockServer', {
  input: z.object({ serverName: z.string() }),
  output: z.object({}),
});

export type BlockedServer = z.infer<typeof blocked>;

/** `backing_off` after failures, until it is tried again; `sending` while anything is queued. */
export const destinationStates = ['idle', 'sending', 'backing_off', 'blocked'] as const;
export type DestinationState = (typeof destinationStates)[number];

/** A server that anything was sent to. Times in ms since 1970. */
export interface DestinationRecord {
  serverName: string;
  state: DestinationState;
  /** Events and EDUs; receipts and typing do not count. */
  queueLength: number;
  /** Since the last success. */
  failures: number;
  lastSuccessTs: number | null;
  lastFailureTs: number | null;
  /** Of the last attempt; null when that was none. */
  lastError: string | null;
  /** Null unless it backs off. */
  nextTryTs: number | null;
}

export interface FederationForAdmin {
  /** By name; `after` is the last name of the page before. `contains` is a part of the name. */
  destinations(
    filter: { state?: DestinationState | undefined; contains?: string | undefined },
    page: { after?: string | undefined; limit: number },
  ): Promise<DestinationRecord[]>;
  destination(serverName: string): Promise<DestinationRecord | undefined>;
  blockedServers(page: { after?: string | undefined; limit: number }): Promise<BlockedServer[]>;
}
