import { roomserver } from '@seneschal/contracts';
import { handleJob, type Item, type JobHandler, type StepAnswer, type StepContext } from '@seneschal/jobs';
import { notFound } from '@seneschal/matrix';
import type { z } from 'zod';

import { type EvacuateRoomDeps, evacuatePage } from '../commands/evacuate-room.ts';
import { occupants } from '../queries/occupants.ts';
import { blockRoom } from '../storage/rooms.ts';
import { ifStored } from '../storage/store-draft.ts';

type Context = StepContext<z.infer<typeof roomserver.evacuateRoomJob.input>>;

/**
 * `evacuateRoom` as a job: a page of users is a step. Who has left is remembered with the leaving itself, as
 * the room writer has a transaction of its own; a page that is done twice finds nobody the second time.
 */
export function evacuateRoomSteps(deps: EvacuateRoomDeps): JobHandler {
  return handleJob(roomserver.evacuateRoomJob, {
    block: (context) => block(deps, context),
    leave: (context) => leave(deps, context),
  });
}

async function block(deps: EvacuateRoomDeps, context: Context): Promise<StepAnswer> {
  const { roomId, requestedBy, block: isBlocked } = context.input;
  const total = await occupants(deps, roomId);
  if (total === undefined) throw notFound('There is no such room.');
  if (isBlocked) await blockRoom(deps.db, { roomId, blockedBy: requestedBy });
  await context.commit({ total });
  return 'done';
}

async function leave(deps: EvacuateRoomDeps, context: Context): Promise<StepAnswer> {
  const { roomId } = context.input;
  const after = typeof context.cursor === 'string' ? context.cursor : '';
  const page = await evacuatePage(deps, { roomId, dryRun: false }, after, ({ affected }) =>
    context.itemsStatement(affected.map(left), ifStored),
  );
  const items = page.failed.map(({ userId, reason }): Item => ({ item: userId, state: 'failed', reason }));
  const done = page.affected.length + page.failed.length;
  await context.commit({ items, done, cursor: page.last ?? null });
  return page.last === undefined ? 'done' : 'again';
}

function left(userId: string): Item {
  return { item: userId, state: 'done' };
}
