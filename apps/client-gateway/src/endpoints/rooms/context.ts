import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { clientEvent, clientEvents, parseRoomEventFilter } from '@seneschal/syncapi';
import { z } from 'zod';

import { count, identifier, jsonObject, roomParams } from './shapes.ts';

const largestContext = 200;

/** `GET /rooms/{roomId}/context/{eventId}`: M_NOT_FOUND also for what the user may not see. */
export const context = (deps: {
  roomserver: Pick<RoomserverForClient, 'eventContext'>;
  syncapi: Pick<SyncapiForClient, 'tokenOf'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/context/:eventId'),
    access: 'user',
    rateLimit: 'read',
    summary: 'An event with what came before and after it',
    params: roomParams.extend({ eventId: identifier }),
    query: z.object({ limit: count.default(10), filter: z.string().optional() }),
    answer: z.object({
      start: z.string(),
      end: z.string(),
      event: jsonObject,
      events_before: z.array(jsonObject),
      events_after: z.array(jsonObject),
      state: z.array(jsonObject),
    }),
    handle: async ({ params: { roomId, eventId }, query, requester: { userId, deviceId } }) => {
      const filter = query.filter === undefined ? undefined : parseRoomEventFilter(query.filter);
      const options = { limit: Math.min(query.limit, largestContext), deviceId, ...filter };
      const found = await deps.roomserver.eventContext(roomId, userId, eventId, options);
      if (found === undefined) throw notFound('There is no such event that you may see.');
      return {
        start: deps.syncapi.tokenOf(found.start),
        end: deps.syncapi.tokenOf(found.end),
        event: clientEvent(found.event, Date.now()),
        events_before: clientEvents(found.before),
        events_after: clientEvents(found.after),
        state: clientEvents(found.state),
      };
    },
  });
