import { setTimeout as delay } from 'node:timers/promises';

import { sql, type Transaction } from 'kysely';

import type { OwnedCursor } from '@seneschal/database';
import type { StepAnswer } from '@seneschal/jobs';
import type { JsonObject } from '@seneschal/matrix';

import { type Deletion, recordDeleted } from '../storage/deletions.ts';
import { deleteEvents, deleteNamed, deleteNumbered } from '../storage/room-rows.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { deletionOf, type PurgeContext, type PurgeDeps, sum } from './purge-deps.ts';

type Trx = Transaction<RoomserverTables>;

/** Where the deletion of the room server's own rows stands. */
type RowsCursor =
  | { stage: 'numbered' | 'named'; cursor: OwnedCursor | null }
  | { stage: 'events'; after: number; digest: string }
  | { stage: 'end' };

interface Page {
  deleted: Record<string, number>;
  /** Rows of these that were counted before: of the log only those facts are that are not about events. */
  counted: number;
  next: RowsCursor;
  digest?: string;
}

const rowsStart: RowsCursor = { stage: 'numbered', cursor: null };

/**
 * Deletes a batch of the room's rows: memberships and state first, so that no query that joins over members
 * finds them any longer, then the events, then what names the room. Of a size, and after a pause, such that
 * others do not notice.
 */
export async function deleteRows(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const deletion = await deletionOf(deps, context);
  const pacer = deps.pacers.of(context.jobId);
  const from = (context.cursor ?? rowsStart) as unknown as RowsCursor;
  // A worker that took over begins here when the one before it died on the way to the next phase.
  if (from.stage === 'end') return 'done';
  const started = performance.now();
  const batch = { rows: 0, isLast: false };
  await context.commit<RoomserverTables>(async (transaction) => {
    const page = await deletePage(transaction, deletion, from, pacer.size);
    batch.rows = sum(page.deleted);
    batch.isLast = page.next.stage === 'end';
    return { cursor: page.next as unknown as JsonObject, done: page.counted };
  });
  await pause(pacer.done(batch.rows, performance.now() - started), context.signal);
  return batch.isLast ? 'done' : 'again';
}

/** A batch that the database loses in a crash is done again: its cursor is lost with it. */
async function deletePage(
  transaction: Trx,
  deletion: Deletion,
  from: Exclude<RowsCursor, { stage: 'end' }>,
  limit: number,
): Promise<Page> {
  await sql`SET LOCAL synchronous_commit = off`.execute(transaction);
  const page = await stages[from.stage](transaction, deletion, from as never, limit);
  await recordDeleted(transaction, deletion.roomNid, page.deleted);
  if (page.digest !== undefined) {
    await sql`UPDATE roomserver_deletions SET digest = ${page.digest} WHERE room_nid = ${deletion.roomNid}`.execute(
      transaction,
    );
  }
  return page;
}

type StageCursor<Stage> = Extract<RowsCursor, { stage: Stage }>;
type RowStage<C> = (trx: Trx, deletion: Deletion, from: C, limit: number) => Promise<Page>;
type OwnedStage = StageCursor<'numbered' | 'named'>;

const stages: {
  numbered: RowStage<OwnedStage>;
  events: RowStage<StageCursor<'events'>>;
  named: RowStage<OwnedStage>;
} = {
  numbered: async (trx, deletion, { cursor }, limit) => {
    const page = await deleteNumbered(trx, deletion, { cursor, limit });
    const next: RowsCursor =
      page.cursor === null
        ? { stage: 'events', after: 0, digest: '' }
        : { stage: 'numbered', cursor: page.cursor };
    return { deleted: page.deleted, counted: sum(page.deleted), next };
  },
  events: async (trx, deletion, { after, digest }, limit) => {
    const page = await deleteEvents(trx, deletion, { after, limit, digest });
    const next: RowsCursor =
      page.next === undefined
        ? { stage: 'named', cursor: null }
        : { stage: 'events', after: page.next, digest: page.digest };
    return {
      deleted: page.deleted,
      counted: page.deleted['roomserver_events'] ?? 0,
      next,
      digest: page.digest,
    };
  },
  named: async (trx, deletion, { cursor }, limit) => {
    const page = await deleteNamed(trx, deletion, { cursor, limit });
    return {
      deleted: page.deleted,
      counted: sum(page.deleted),
      next: page.cursor === null ? { stage: 'end' } : { stage: 'named', cursor: page.cursor },
    };
  },
};

/** Caches, finished commands in the queues, and remembered replies; what nobody could count before is not `done`. */
export async function forget(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, roomId } = await deletionOf(deps, context);
  await deps.forgetRoom(roomNid);
  const forgotten = await deps.bus.forget(roomId);
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, roomNid, forgotten);
    return {};
  });
  return 'done';
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
