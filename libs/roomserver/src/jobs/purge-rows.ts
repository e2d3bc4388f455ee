import { setTimeout as delay } from 'node:timers/promises';

import { sql, type Transaction } from 'kysely';

import { type PurgePage, roomPurgers } from '@seneschal/contracts';
import type { OwnedCursor } from '@seneschal/database';
import type { StepAnswer } from '@seneschal/jobs';
import type { JsonObject } from '@seneschal/matrix';

import { type Deletion, finishDeletion, recordDeleted } from '../storage/deletions.ts';
import { countRoomRows, deleteEvents, deleteNamed, deleteNumbered } from '../storage/room-rows.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { deletionOf, type PurgeContext, type PurgeDeps } from './purge-deps.ts';

type Trx = Transaction<RoomserverTables>;

/** Where the deletion of the room server's own rows stands. */
type RowsCursor =
  | { stage: 'numbered' | 'named'; cursor: OwnedCursor | null }
  | { stage: 'events'; after: number; digest: string };

interface Page {
  deleted: Record<string, number>;
  /** null at the end. */
  next: RowsCursor | null;
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
  const started = performance.now();
  const batch = { rows: 0, isLast: false };
  await context.commit<RoomserverTables>(async (transaction) => {
    const page = await deletePage(transaction, deletion, from, pacer.size);
    batch.rows = sum(page.deleted);
    batch.isLast = page.next === null;
    return { cursor: page.next as unknown as JsonObject, done: batch.rows };
  });
  await pause(pacer.done(batch.rows, performance.now() - started), context.signal);
  return batch.isLast ? 'done' : 'again';
}

/** A batch that the database loses in a crash is done again: its cursor is lost with it. */
async function deletePage(
  transaction: Trx,
  deletion: Deletion,
  from: RowsCursor,
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
type OwnedStage = Exclude<RowsCursor, { stage: 'events' }>;

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
    return { deleted: page.deleted, next };
  },
  events: async (trx, deletion, { after, digest }, limit) => {
    const page = await deleteEvents(trx, deletion, { after, limit, digest });
    const next: RowsCursor =
      page.next === undefined
        ? { stage: 'named', cursor: null }
        : { stage: 'events', after: page.next, digest: page.digest };
    return { deleted: page.deleted, next, digest: page.digest };
  },
  named: async (trx, deletion, { cursor }, limit) => {
    const page = await deleteNamed(trx, deletion, { cursor, limit });
    return {
      deleted: page.deleted,
      next: page.cursor === null ? null : { stage: 'named', cursor: page.cursor },
    };
  },
};

interface ComponentCursor {
  /** Which of the components. */
  index: number;
  page: PurgePage['cursor'];
}

const componentPage = 1000;

/** Has a page of what other components keep of the room deleted, one component after the other. */
export async function deleteElsewhere(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, roomId } = await deletionOf(deps, context);
  const at = (context.cursor ?? { index: 0, page: null }) as unknown as ComponentCursor;
  const command = roomPurgers[at.index];
  if (command === undefined) return 'done';
  const input = { roomId, cursor: at.page, limit: componentPage, dryRun: false };
  const { rows, cursor } = await context.call(command, input);
  const next: ComponentCursor =
    cursor === null ? { index: at.index + 1, page: null } : { index: at.index, page: cursor };
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, roomNid, rows);
    return { cursor: next as unknown as JsonObject, done: sum(rows) };
  });
  return 'again';
}

/** Caches, finished commands in the queues, and remembered replies. */
export async function forget(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, roomId } = await deletionOf(deps, context);
  await deps.forgetRoom(roomNid);
  const forgotten = await deps.bus.forget(roomId);
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, roomNid, forgotten);
    return { done: sum(forgotten) };
  });
  return 'done';
}

/** Rounds of looking for what was added meanwhile, as by a client that stores account data for a room it knows. */
const mostRounds = 5;

/** Nothing may be left, anywhere. What has come in meanwhile is deleted, and it is looked again. */
export async function verify(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  // The deletion ended with the commit of this phase, and the worker before the job did.
  if (context.result['verified'] === true) return 'done';
  const deletion = await deletionOf(deps, context);
  const round = Number(context.cursor ?? 0);
  const left = await countRoomRows(deps.db, deletion);
  const late: Record<string, number> = {};
  for (const command of roomPurgers) {
    const page = { roomId: deletion.roomId, cursor: null, limit: componentPage };
    const found = (await context.call(command, { ...page, dryRun: true })).rows;
    Object.assign(left, found);
    if (sum(found) > 0) add(late, (await context.call(command, { ...page, dryRun: false })).rows);
  }
  if (sum(left) > sum(late) || round >= mostRounds) {
    throw new Error(`Rows of a deleted room are left: ${JSON.stringify(left)}.`);
  }
  await deps.bus.forget(deletion.roomId);
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, deletion.roomNid, late);
    const isVerified = sum(late) === 0;
    if (isVerified) await finishDeletion(transaction, deletion.roomNid);
    return { cursor: round + 1, done: sum(late), result: { verified: isVerified } };
  });
  if (sum(late) > 0) return 'again';
  deps.pacers.end(context.jobId);
  return 'done';
}

function add(counts: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
