import { spaceRoomEntry, spaceRoomEntryOf, type SpacesForClient } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam } from '@seneschal/matrix';
import { z } from 'zod';

import { count, jsonObject, roomParams } from './shapes.ts';

const usualPage = 50;
const largestPage = 100;
const usualDepth = 20;
const deepest = 50;

/** `GET /rooms/{roomId}/hierarchy`. */
export const hierarchy = (deps: { roomserver: Pick<SpacesForClient, 'spaceHierarchy'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/hierarchy',
    access: 'user',
    rateLimit: 'read',
    summary: 'The rooms of a space, and of the spaces in it',
    params: roomParams,
    query: z.object({
      suggested_only: z.enum(['true', 'false']).optional(),
      limit: count.refine((limit) => limit > 0, 'is not greater than zero').default(usualPage),
      max_depth: count.optional(),
      from: z.string().optional(),
    }),
    answer: z.object({
      rooms: z.array(spaceRoomEntry.extend({ children_state: z.array(jsonObject) })),
      next_batch: z.string().optional(),
    }),
    handle: async ({ params: { roomId }, query, requester: { userId } }) => {
      const asked = {
        maxDepth: Math.min(query.max_depth ?? usualDepth, deepest),
        suggestedOnly: query.suggested_only === 'true',
      };
      const offset = query.from === undefined ? 0 : offsetOf(query.from, asked);
      const limit = Math.min(query.limit, largestPage);
      const page = await deps.roomserver.spaceHierarchy(roomId, userId, { ...asked, offset, limit });
      return {
        rooms: page.rooms.map((room) => ({ ...spaceRoomEntryOf(room), children_state: room.childrenState })),
        ...(page.hasMore ? { next_batch: tokenOf(offset + page.rooms.length, asked) } : {}),
      };
    },
  });

interface Asked {
  maxDepth: number;
  suggestedOnly: boolean;
}

/** `h<rooms before>_<depth>_<1 for suggested only>`: of pages that were asked for alike. */
function tokenOf(offset: number, { maxDepth, suggestedOnly }: Asked): string {
  return `h${offset}_${maxDepth}_${Number(suggestedOnly)}`;
}

function offsetOf(token: string, asked: Asked): number {
  const offset = Number(/^h(\d{1,6})_/.exec(token)?.[1]);
  if (tokenOf(offset, asked) === token) return offset;
  throw invalidParam('from is no token of this space, suggested_only and max_depth.');
}
