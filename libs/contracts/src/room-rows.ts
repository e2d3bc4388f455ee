import { z } from 'zod';

import { type Command, command, type ComponentName } from './command.ts';

const cursor = z.object({
  store: z.string(),
  after: z.array(z.union([z.string(), z.number()])).nullable(),
});

/** One page of what a component has of a room. */
const purgePage = z.object({
  roomId: z.string(),
  /** Where the page before ended; null for the first. */
  cursor: cursor.nullable(),
  limit: z.number(),
  /** Counts everything that is there, and deletes nothing. */
  dryRun: z.boolean(),
});

const purgedPage = z.object({
  /** Rows by table or index; with `dryRun`, of the whole room. */
  rows: z.record(z.string(), z.number()),
  /** null when nothing is left behind the page. */
  cursor: cursor.nullable(),
});

export type PurgePage = z.infer<typeof purgePage>;
export type PurgedPage = z.infer<typeof purgedPage>;

/** What a component beside the room server tells of rooms that may be deleted. */
export interface RoomDataReads {
  /** Rows by table or index that belong to any of the rooms. */
  countRoomData(roomIds: readonly string[]): Promise<Record<string, number>>;
}

/**
 * Declares the command by which a component deletes what it has of a room, page by page. It is naturally
 * idempotent: deleting what is gone deletes nothing. The same command counts what is there, so that a rehearsal
 * and the check at the end look at the very stores that are emptied.
 */
export function purgeRoomCommand(component: ComponentName): Command<PurgePage, PurgedPage> {
  return command(component, 'purgeRoomData', { input: purgePage, output: purgedPage, timeoutMs: 120_000 });
}
