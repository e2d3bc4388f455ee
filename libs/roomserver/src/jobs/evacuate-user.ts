import { roomserver } from '@seneschal/contracts';
import { handleJob, type Item, type JobHandler, type StepAnswer, type StepContext } from '@seneschal/jobs';
import type { z } from 'zod';

import { type EvacuateUserDeps, leaveRooms } from '../commands/evacuate-user.ts';
import { occupiedRooms } from '../queries/occupants.ts';
import { pageOfRoomsToLeave } from '../storage/memberships.ts';
import { ifStored } from '../storage/store-draft.ts';

type Context = StepContext<z.infer<typeof roomserver.evacuateUserJob.input>>;

/** Rooms of one step. */
const pageSize = 100;

/** `evacuateUser` as a job: a page of rooms is a step, and each room is remembered with the leaving itself. */
export function evacuateUserSteps(deps: EvacuateUserDeps): JobHandler {
  return handleJob(roomserver.evacuateUserJob, { leave: (context) => leave(deps, context) });
}

async function leave(deps: EvacuateUserDeps, context: Context): Promise<StepAnswer> {
  const { userId } = context.input;
  const after = typeof context.cursor === 'number' ? context.cursor : 0;
  const total = context.cursor === null ? { total: await occupiedRooms(deps, userId) } : {};
  const rooms = await pageOfRoomsToLeave(deps.db, userId, after, pageSize);
  const roomIds = rooms.map((room) => room.roomId);
  const left = await leaveRooms(deps, { userId, dryRun: false }, roomIds, (roomId) =>
    context.itemsStatement([{ item: roomId, state: 'done' }], ifStored),
  );
  const items = roomIds.map((item): Item => {
    const reason = left.get(item)?.reason;
    return reason === undefined ? { item, state: 'done' } : { item, state: 'failed', reason };
  });
  const cursor = rooms.at(-1)?.roomNid ?? after;
  await context.commit({ items, done: items.length, cursor, ...total });
  return rooms.length < pageSize ? 'done' : 'again';
}
