import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { Bus } from '@seneschal/bus';
import type { purgeRoomJob } from '@seneschal/contracts';
import type { StepContext } from '@seneschal/jobs';
import { notFound } from '@seneschal/matrix';

import type { ArchiveFiles } from '../archive/files.ts';
import type { Pacer } from '../room/pacer.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { type Deletion, unfinishedDeletion } from '../storage/deletions.ts';
import type { RoomserverTables } from '../storage/tables.ts';

export interface PurgeDeps {
  db: Kysely<RoomserverTables>;
  bus: Pick<Bus, 'wake' | 'forget' | 'call'>;
  writer: Pick<RoomWriter, 'run'>;
  files: ArchiveFiles;
  /** One for each deletion, so that one that meets a slow database does not slow down the others. */
  pacers: { of(jobId: string): Pacer; end(jobId: string): void };
  /** Makes every process drop what it remembers of a room. */
  forgetRoom(roomNid: number): Promise<void>;
}

export type PurgeContext = StepContext<z.infer<typeof purgeRoomJob.input>>;

/** The deletion that the first phase began. */
export async function deletionOf(deps: Pick<PurgeDeps, 'db'>, context: PurgeContext): Promise<Deletion> {
  const deletion = await unfinishedDeletion(deps.db, context.input.roomId);
  if (deletion === undefined) throw notFound('The room is not being deleted (any more).');
  return deletion;
}

/** Rows by table, or by index. */
export type Counts = Record<string, number>;

export function sum(counts: Readonly<Counts>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

export function plus(counts: Readonly<Counts>, more: Readonly<Counts>): Counts {
  const all: Counts = { ...counts };
  for (const [store, count] of Object.entries(more)) all[store] = (all[store] ?? 0) + count;
  return all;
}

/** What is left of counts; never less than nothing. */
export function minus(counts: Readonly<Counts>, less: Readonly<Counts>): Counts {
  const left = Object.entries(counts).map(([store, count]) => [store, count - (less[store] ?? 0)] as const);
  return Object.fromEntries(left.filter(([, count]) => count > 0));
}
