import type { CallBus } from '@seneschal/bus';
import { federation, type RoomserverForClient } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { roomParams } from './shapes.ts';

/** Milliseconds since 1970. */
const time = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a time')
  .transform(Number);

interface Deps {
  bus: CallBus;
  roomserver: Pick<RoomserverForClient, 'eventAtTime'>;
}

/**
 * `GET /rooms/{roomId}/timestamp_to_event`. Where nothing is known here in that direction, other servers of the room are
 * asked; M_NOT_FOUND when they know nothing either.
 */
export const timestampToEvent = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/timestamp_to_event',
    access: 'user',
    rateLimit: 'read',
    summary: 'The event closest to a time',
    params: roomParams,
    query: z.object({ ts: time, dir: z.enum(['f', 'b']) }),
    answer: z.object({ event_id: z.string(), origin_server_ts: z.number() }),
    handle: async ({ params: { roomId }, query: { ts, dir: direction }, requester: { userId } }) => {
      const found =
        (await deps.roomserver.eventAtTime(roomId, userId, { ts, direction })) ??
        (await deps.bus.call(federation.remoteTimestampToEvent, { roomId, ts, direction }));
      if (found === null) throw notFound('There is no event in that direction that you may see.');
      return { event_id: found.eventId, origin_server_ts: found.originServerTs };
    },
  });
