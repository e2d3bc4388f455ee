import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { clientEvents, parseRoomEventFilter } from '@seneschal/syncapi';
import { z } from 'zod';

import { count, jsonObject, roomParams } from './shapes.ts';

const largestPage = 1000;

/** `GET /rooms/{roomId}/messages`. Takes the tokens of sync too. */
export const messages = (deps: {
  roomserver: Pick<RoomserverForClient, 'messages'>;
  syncapi: Pick<SyncapiForClient, 'positionOf' | 'tokenOf'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/messages'),
    access: 'user',
    rateLimit: 'read',
    summary: 'A page of the events of a room',
    params: roomParams,
    query: z.object({
      dir: z.enum(['b', 'f']),
      from: z.string().optional(),
      to: z.string().optional(),
      limit: count.default(10),
      filter: z.string().optional(),
    }),
    answer: z.object({
      start: z.string(),
      end: z.string().optional(),
      chunk: z.array(jsonObject),
      state: z.array(jsonObject).optional(),
    }),
    handle: async ({ params: { roomId }, query, requester: { userId, deviceId } }) => {
      const { positionOf, tokenOf } = deps.syncapi;
      const filter = query.filter === undefined ? undefined : parseRoomEventFilter(query.filter);
      const page = await deps.roomserver.messages(roomId, userId, {
        direction: query.dir,
        limit: Math.min(Math.max(query.limit, 1), largestPage),
        deviceId,
        ...(query.from === undefined ? {} : { from: positionOf(query.from) }),
        ...(query.to === undefined ? {} : { to: positionOf(query.to) }),
        ...filter,
      });
      return {
        start: query.from ?? tokenOf(page.start),
        ...(page.end === undefined ? {} : { end: tokenOf(page.end) }),
        chunk: clientEvents(page.events),
        ...(page.members.length === 0 ? {} : { state: clientEvents(page.members) }),
      };
    },
  });
