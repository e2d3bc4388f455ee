import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { clientEvents } from '@seneschal/syncapi';
import { z } from 'zod';

import { count, jsonObject, roomParams } from './shapes.ts';

const largestPage = 100;

/** `GET /rooms/{roomId}/threads`. */
export const threads = (deps: {
  roomserver: Pick<RoomserverForClient, 'threads'>;
  syncapi: Pick<SyncapiForClient, 'positionOf' | 'tokenOf'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/threads',
    access: 'user',
    rateLimit: 'read',
    summary: 'The threads of a room',
    params: roomParams,
    query: z.object({
      include: z.enum(['all', 'participated']).default('all'),
      from: z.string().optional(),
      limit: count.default(30),
    }),
    answer: z.object({ chunk: z.array(jsonObject), next_batch: z.string().optional() }),
    handle: async ({ params: { roomId }, query, requester: { userId, deviceId } }) => {
      const { positionOf, tokenOf } = deps.syncapi;
      const { events, end } = await deps.roomserver.threads(roomId, userId, {
        include: query.include,
        limit: Math.min(Math.max(query.limit, 1), largestPage),
        deviceId,
        ...(query.from === undefined ? {} : { from: positionOf(query.from) }),
      });
      return {
        chunk: clientEvents(events),
        ...(end === undefined ? {} : { next_batch: tokenOf(end) }),
      };
    },
  });
