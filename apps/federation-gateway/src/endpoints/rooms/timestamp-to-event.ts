import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { roomId, type RoomReads, sharedRoom } from './shapes.ts';

/** Milliseconds since 1970. */
const time = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a time')
  .transform(Number);

/** Server-server API, `GET /timestamp_to_event/{roomId}`. */
export const timestampToEvent = ({ roomserver }: { roomserver: RoomReads }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/timestamp_to_event/:roomId',
    access: 'server',
    rateLimit: 'none',
    summary: 'The event of a room closest to a time',
    params: z.object({ roomId }),
    query: z.object({ ts: time, dir: z.enum(['f', 'b']) }),
    answer: z.object({ event_id: z.string(), origin_server_ts: z.number() }),
    handle: async ({ params, query: { ts, dir: direction }, origin }) => {
      await sharedRoom(roomserver, params.roomId, origin);
      const events = await roomserver.eventsAtTime(params.roomId, { ts, direction });
      const ids = events.map(({ eventId }) => eventId);
      const visible = await roomserver.visibleToServer(params.roomId, origin, ids);
      const found = events.find(({ eventId }) => visible.has(eventId));
      if (found === undefined)
        throw notFound('There is no event in that direction that your server may see.');
      return { event_id: found.eventId, origin_server_ts: found.originServerTs };
    },
  });
