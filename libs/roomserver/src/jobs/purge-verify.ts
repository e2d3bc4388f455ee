import { roomPurgers } from '@seneschal/contracts';
import type { StepAnswer } from '@seneschal/jobs';
import { MatrixError } from '@seneschal/matrix';

import { finishDeletion, recordDeleted } from '../storage/deletions.ts';
import { countRoomRows } from '../storage/room-rows.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type Counts, deletionOf, plus, type PurgeContext, type PurgeDeps, sum } from './purge-deps.ts';
import { failingOf } from './purge-elsewhere.ts';

const pageSize = 1000;
/** Rounds of looking for what was added meanwhile, as by a client that stores account data for a room it knows. */
const mostRounds = 5;

/**
 * Nothing may be left, anywhere. What has come in meanwhile is deleted, and it is looked again. While a component
 * could not delete what it has the record stays open: a retry of the job, or another purge of the room, goes on.
 */
export async function verify(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  // The deletion ended with the commit of this phase, and the worker before the job did.
  if (context.result['verified'] === true) return 'done';
  const deletion = await deletionOf(deps, context);
  const round = Number(context.cursor ?? 0);
  const failing = failingOf(context);
  const { left, late } = await look(deps, context, failing);
  if (sum(left) > sum(late) || round >= mostRounds) {
    throw new MatrixError(500, 'M_UNKNOWN', `Something of the room is left: ${JSON.stringify(left)}.`);
  }
  await deps.bus.forget(deletion.roomId);
  const isOver = sum(late) === 0;
  const isVerified = isOver && failing.length === 0;
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, deletion.roomNid, late);
    if (isVerified) await finishDeletion(transaction, deletion.roomNid);
    const total = failing.length === 0 ? { left: 0 } : {};
    return { cursor: round + 1, done: sum(late), ...total, result: { verified: isVerified } };
  });
  if (!isOver) return 'again';
  deps.pacers.end(context.jobId);
  return 'done';
}

/** What every store that can be asked has of the room, and what was deleted of it just now. */
async function look(
  deps: PurgeDeps,
  context: PurgeContext,
  failing: readonly string[],
): Promise<{ left: Counts; late: Counts }> {
  const deletion = await deletionOf(deps, context);
  let left = await countRoomRows(deps.db, deletion);
  let late: Counts = {};
  for (const command of roomPurgers.filter(({ component }) => !failing.includes(component))) {
    const page = { roomId: deletion.roomId, cursor: null, limit: pageSize };
    const found = (await context.call(command, { ...page, dryRun: true })).rows;
    left = plus(left, found);
    if (sum(found) > 0) late = plus(late, (await context.call(command, { ...page, dryRun: false })).rows);
  }
  return { left, late };
}
