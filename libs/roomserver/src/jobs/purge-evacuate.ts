import { sqlState } from '@seneschal/database';
import type { Item, StepAnswer } from '@seneschal/jobs';
import { isMatrixError } from '@seneschal/matrix';

import { leaveRoom } from '../room/leave-room.ts';
import { readLocalMembers } from '../storage/room-reads.ts';
import { deletionOf, type PurgeContext, type PurgeDeps } from './purge-deps.ts';

const pageSize = 250;

interface Page {
  last: string | null;
  left: number;
  stayed: Item[];
}

/**
 * Local users leave by events of their own. Who cannot, and a room that is too damaged for any event to be made
 * in it, stops nothing: the deletion itself ends every membership, and the clients are told of it.
 */
export async function evacuateForPurge(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { purgedTs } = await deletionOf(deps, context);
  if (!context.input.evacuate || purgedTs !== null) return 'done';
  const after = typeof context.cursor === 'string' ? context.cursor : '';
  const page = await leave(deps, context.input.roomId, after).catch((error: unknown): Page => {
    if (!isDamage(error)) throw error;
    context.logger.warn({ roomId: context.input.roomId, error }, 'the room is too damaged to be left');
    return {
      last: null,
      left: 0,
      stayed: [{ item: context.input.roomId, state: 'skipped', reason: reasonOf(error) }],
    };
  });
  await context.commit(async () => ({ cursor: page.last, items: page.stayed }));
  return page.last === null ? 'done' : 'again';
}

/** Stored by the room's writer, outside of the job's transaction: done again, it finds nobody who is still in. */
async function leave(deps: PurgeDeps, roomId: string, after: string): Promise<Page> {
  return deps.writer.run<Page>(roomId, {
    users: [],
    isAlone: true,
    isDeletion: true,
    apply: async ({ draft, db }) => {
      const members = await readLocalMembers(db, draft.room.roomNid, after, pageSize);
      const stayed: Item[] = [];
      for (const [userId, member] of members) {
        draft.setMember(userId, member);
        const reason = leaveRoom(draft, userId);
        if (reason !== undefined) stayed.push({ item: userId, state: 'skipped', reason });
      }
      const last = members.size < pageSize ? null : ([...members.keys()].at(-1) ?? null);
      return { last, left: members.size - stayed.length, stayed };
    },
  });
}

/** PostgreSQL cannot read a row, or an index: data_corrupted, index_corrupted. */
const corrupted = ['XX001', 'XX002'];

/** The database being away, or busy, is none; what the room's own rows make impossible is. */
function isDamage(error: unknown): boolean {
  if (isMatrixError(error)) return true;
  const isOfTheSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  const state = sqlState(error);
  return state === undefined ? !isOfTheSystem : corrupted.includes(state);
}

function reasonOf(error: unknown): string {
  return isMatrixError(error) ? error.message : 'The room cannot be read: the server log says why.';
}
