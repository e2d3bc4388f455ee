import { z } from 'zod';

import type { RoomserverForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { from, limit } from '../../paging.ts';

/** Rooms in one query when all of them are asked for. */
const pageSize = 10_000;

interface EmptyRoomsDeps {
  roomserver: Pick<RoomserverForAdmin, 'emptyRooms'>;
}

/** Rooms that nobody of this server is in. Without `limit`, all of them, as Dendrite answers. */
export const emptyRooms = ({ roomserver }: EmptyRoomsDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_dendrite/admin/emptyRooms',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'Lists the rooms that no local user is joined to',
    query: z.object({ from, limit: limit.optional() }),
    answer: z.object({ empty_rooms: z.array(z.string()), next_token: z.string().optional() }),
    handle: async ({ query }) => {
      if (query.limit !== undefined) {
        const page = await roomserver.emptyRooms({ from: query.from, limit: Math.max(1, query.limit) });
        return {
          empty_rooms: page.roomIds,
          ...(page.next === undefined ? {} : { next_token: page.next }),
        };
      }
      const all: string[] = [];
      for (let place = query.from, isFirst = true; isFirst || place !== undefined; isFirst = false) {
        const page = await roomserver.emptyRooms({ from: place, limit: pageSize });
        all.push(...page.roomIds);
        place = page.next;
      }
      return { empty_rooms: all };
    },
  });
