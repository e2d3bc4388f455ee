import { purgeRoomJob, roomserver } from '@seneschal/contracts';
import { handleJob, type JobHandler, type StepAnswer } from '@seneschal/jobs';
import { notFound } from '@seneschal/matrix';

import { beginDeletion, detachRoom, recordDeleted } from '../storage/deletions.ts';
import { rememberDepartures } from '../storage/departures.ts';
import { countRoomRows } from '../storage/room-rows.ts';
import { handOver } from '../room/leave-elsewhere.ts';
import { blockRoom } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type Counts, deletionOf, type PurgeContext, type PurgeDeps, sum } from './purge-deps.ts';
import { countElsewhere, deleteElsewhere } from './purge-elsewhere.ts';
import { evacuateForPurge } from './purge-evacuate.ts';
import { exportForPurge } from './purge-export.ts';
import { deleteRows, forget } from './purge-rows.ts';
import { verify } from './purge-verify.ts';

/**
 * Deletes a room. Up to `detach` the room is there, closed, and a cancelled deletion gives it back. `detach`
 * takes it away in one moment; what follows deletes rows that nobody can find any more.
 */
export function purgeRoom(deps: PurgeDeps): JobHandler {
  return handleJob(purgeRoomJob, {
    close: (context) => close(context),
    export: (context) => exportForPurge(deps, context),
    evacuate: (context) => evacuateForPurge(deps, context),
    remember: (context) => remember(deps, context),
    detach: (context) => detach(deps, context),
    delete: (context) => deleteRows(deps, context),
    components: (context) => deleteElsewhere(deps, context),
    forget: (context) => forget(deps, context),
    verify: (context) => verify(deps, context),
  });
}

/**
 * Nothing but the deletion writes to the room from here on: sends, joins, invites and knocks are refused. The
 * total is what there is by now; the evacuation adds to it.
 */
async function close(context: PurgeContext): Promise<StepAnswer> {
  const { roomId, block } = context.input;
  const elsewhere = await countElsewhere(context, roomId);
  await context.commit<RoomserverTables>(async (transaction) => {
    const asked = { roomId, deletionId: context.jobId, requestedBy: context.requestedBy };
    const deletion = await beginDeletion(transaction, asked);
    if (deletion === undefined) throw notFound('There is no such room.');
    if (block) await blockRoom(transaction, { roomId, blockedBy: context.requestedBy });
    const left = sum(await countRoomRows(transaction, deletion)) + sumOf(elsewhere);
    return { left, result: { deletion_id: deletion.deletionId } };
  });
  return 'done';
}

const departuresPage = 2000;

/** Before the memberships go: for whom the room is to show as left, page by page. */
async function remember(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, purgedTs } = await deletionOf(deps, context);
  if (purgedTs !== null) return 'done';
  const after = typeof context.cursor === 'string' ? context.cursor : '';
  let last: string | undefined;
  await context.commit<RoomserverTables>(async (transaction) => {
    last = await rememberDepartures(transaction, roomNid, { after, limit: departuresPage });
    return { cursor: last ?? null };
  });
  return last === undefined ? 'done' : 'again';
}

async function detach(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const deletion = await deletionOf(deps, context);
  // A worker that died on the way to the next phase has counted, and what follows the log has deleted some since.
  if (deletion.purgedTs !== null && context.result['elsewhere'] !== undefined) return 'done';
  const elsewhere = await countElsewhere(context, deletion.roomId);
  if (deletion.purgedTs !== null) {
    await context.commit(async () => ({ result: { elsewhere } }));
    return 'done';
  }
  await handOver(deps, deletion.roomId);
  // Before the log is locked. Nobody adds to the room any more: it is what will have been deleted in the end.
  const rows = sum(await countRoomRows(deps.db, deletion)) + sumOf(elsewhere);
  let stream = 0;
  await context.commit<RoomserverTables>(async (transaction) => {
    const { position, aliases } = await detachRoom(transaction, deletion);
    await recordDeleted(transaction, deletion.roomNid, { roomserver_rooms: 1, roomserver_aliases: aliases });
    stream = position;
    const done = 1 + aliases;
    return { done, left: rows - done, result: { elsewhere } };
  });
  deps.bus.wake(roomserver.roomserverOutput, stream);
  return 'done';
}

function sumOf(byComponent: Record<string, Counts>): number {
  return Object.values(byComponent).reduce((all, counts) => all + sum(counts), 0);
}
