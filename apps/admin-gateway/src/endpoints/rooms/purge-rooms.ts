import { z } from 'zod';

import { purgeRoomJob, type RoomFilter, type RoomserverForAdmin, purgeRoomsJob } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { isRoomId, isServerName, isUserId } from '@seneschal/matrix';

import { longCall, longCallAnswers, type LongCallDeps, rehearsalAnswer, rehearse } from '../../long-call.ts';
import { type CountDeps, countRooms } from './count-rooms.ts';

export interface PurgeRoomsDeps extends LongCallDeps, CountDeps {
  jobs: Pick<Jobs, 'start' | 'wait' | 'reads'>;
  roomserver: Pick<RoomserverForAdmin, 'findRooms'> & CountDeps['roomserver'];
}

const roomIds = z.array(z.string().refine(isRoomId, 'has something that is not a room ID')).max(10_000);

const filter = z
  .strictObject({
    empty_for_days: z.number().min(0).max(36_500).optional(),
    name: z.string().min(1).max(255).optional(),
    creator: z.string().refine(isUserId, 'is not a user ID').optional(),
    server: z.string().refine(isServerName, 'is not a server name').optional(),
    room_ids: roomIds.optional(),
  })
  .refine((conditions) => Object.keys(conditions).length > 0, 'needs a condition: it would find every room');

const purgeBody = z.strictObject({
  filter,
  exclude: roomIds.default([]),
  /** At most so many rooms in one run. */
  limit: z.int().min(1).max(10_000).default(100),
  block: z.boolean().default(false),
  evacuate: z.boolean().default(true),
  export: z.boolean().default(false),
  /** On unless it is turned off: what a filter finds is to be seen before it is deleted. */
  dry_run: z.boolean().default(true),
});

const plan = rehearsalAnswer.extend({
  rooms: z.array(z.object({ room_id: z.string(), events: z.number() })),
});

/** Deletes the rooms that a filter finds, each by a job of its own below one job. */
export const purgeRooms = (deps: PurgeRoomsDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_seneschal/v1/rooms/purge',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Deletes the rooms that a filter finds; without "dry_run": false it only lists them',
    body: purgeBody,
    answer: z.union([plan, z.object({ rooms: z.number(), purged: z.number(), failed: z.number() })]),
    otherAnswers: longCallAnswers,
    handle: async (request) => {
      const { filter: conditions, dry_run: dryRun, ...input } = request.body;
      const selection = { ...input, filter: toFilter(conditions) };
      if (dryRun) return rehearsal(deps, selection);
      return longCall(deps, request, {
        kind: purgeRoomsJob,
        input: selection,
        answer: ({ result }) => ({
          rooms: Number(result['rooms'] ?? 0),
          purged: Number(result['purged'] ?? 0),
          failed: Number(result['failed'] ?? 0),
        }),
      });
    },
  });

async function rehearsal(
  deps: PurgeRoomsDeps,
  selection: Parameters<RoomserverForAdmin['findRooms']>[0],
): Promise<z.infer<typeof plan>> {
  const rooms = await deps.roomserver.findRooms(selection);
  const counts = await countRooms(
    deps,
    rooms.map(({ roomId }) => roomId),
  );
  return {
    ...(await rehearse(deps.jobs, purgeRoomJob, counts, counts.rows)),
    rooms: rooms.map((room) => ({ room_id: room.roomId, events: room.events })),
  };
}

function toFilter(conditions: z.infer<typeof filter>): RoomFilter {
  const { empty_for_days: emptyForDays, room_ids: ids, ...same } = conditions;
  return {
    ...same,
    ...(emptyForDays === undefined ? {} : { emptyForDays }),
    ...(ids === undefined ? {} : { roomIds: ids }),
  };
}
