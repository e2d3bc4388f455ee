import type { Kysely } from 'kysely';
import type { z } from 'zod';

import { purgeRoomJob, purgeRoomsJob } from '@seneschal/contracts';
import {
  type EndedChild,
  handleJob,
  type Item,
  type JobHandler,
  type StepAnswer,
  type StepContext,
} from '@seneschal/jobs';
import type { JsonObject } from '@seneschal/matrix';

import { findRooms } from '../queries/find-rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

interface PurgeRoomsDeps {
  db: Kysely<RoomserverTables>;
}

type Context = StepContext<z.infer<typeof purgeRoomsJob.input>>;

/** Rooms are chosen in one step and handed out in the next: whoever takes the job over hands out the same. */
interface Choice {
  /** How many have been chosen so far, and the number of the last of them. */
  rooms: number;
  after: number;
  /** Those that are not yet handed out. */
  next: string[];
}

/** Deletions that are handed out and not yet ended; a worker runs few of them at once. */
const underWayAtMost = 4;
const lookAgainMs = 5000;
/** Rooms whose end is written down in one transaction. */
const told = 500;

/**
 * Deletes the rooms that a filter finds, each by a child of its own, so that one bad room stops no other. What
 * became of each room is an item; a retry does again what failed, and looks for no other rooms.
 */
export function purgeRooms(deps: PurgeRoomsDeps): JobHandler {
  return handleJob(purgeRoomsJob, { purge: (context) => purge(deps, context), wait });
}

async function purge(deps: PurgeRoomsDeps, context: Context): Promise<StepAnswer> {
  const choice = (context.cursor ?? { rooms: 0, after: 0, next: [] }) as unknown as Choice;
  if (choice.next.length > 0) return handOut(context, choice);
  const { filter, exclude, limit } = context.input;
  const left = limit - choice.rooms;
  if (left <= 0) return 'done';
  const { unfinished } = await context.children();
  if (unfinished >= underWayAtMost) return { waitMs: lookAgainMs };
  const wanted = Math.min(left, underWayAtMost - unfinished);
  const found = await findRooms(deps, { filter, exclude, limit: wanted, after: choice.after });
  const last = found.at(-1);
  if (last === undefined) return 'done';
  const rooms = choice.rooms + found.length;
  const next = found.map(({ roomId }) => roomId);
  const cursor = { rooms, after: last.roomNid, next } satisfies Choice;
  await context.commit(async () => ({ cursor, result: { rooms } }));
  return 'again';
}

/** A room that somebody else is having deleted is left to that job. */
async function handOut(context: Context, choice: Choice): Promise<StepAnswer> {
  const { block, evacuate, export: isExported } = context.input;
  const items: Item[] = [];
  for (const roomId of choice.next) {
    const input = { roomId, block, evacuate, export: isExported };
    const { jobId, isChild } = await context.startChild(purgeRoomJob, input);
    const reason = `The job ${jobId} deletes this room.`;
    if (!isChild) items.push({ item: roomId, state: 'skipped', reason });
  }
  const cursor = { ...choice, next: [] } satisfies Choice;
  await context.commit(async () => ({ cursor, items, done: items.length }));
  return 'again';
}

/** Until all children have ended, and it is written down of each how. */
async function wait(context: Context): Promise<StepAnswer> {
  if (context.isRetry && context.cursor === null) {
    await context.retryChildren();
    await context.commit(async () => ({ cursor: 'retried' }));
  }
  const { unfinished, finished, failed } = await context.children();
  const ended = await context.endedChildren(told);
  if (ended.length > 0) {
    const items = ended.map(itemOf);
    await context.commit(async () => ({ items, done: items.length }));
    return 'again';
  }
  if (unfinished > 0) return { waitMs: lookAgainMs };
  const result: JsonObject = {
    rooms: Number(context.result['rooms'] ?? 0),
    purged: finished - failed,
    failed,
  };
  await context.commit(async () => ({ result }));
  return 'done';
}

function itemOf({ jobId, target, state, reason }: EndedChild): Item {
  if (state === 'completed') return { item: target, state: 'done' };
  const why = reason ?? `It is ${state}.`;
  return { item: target, state: 'failed', reason: `The job ${jobId} did not delete this room: ${why}` };
}
