import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { clientEvent } from '@seneschal/syncapi';

import { identifier, jsonObject, roomParams } from './shapes.ts';

/** `GET /rooms/{roomId}/event/{eventId}`: M_NOT_FOUND also for what the user may not see. */
export const event = (deps: { roomserver: Pick<RoomserverForClient, 'event'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/event/:eventId'),
    access: 'user',
    rateLimit: 'read',
    summary: 'One event of a room',
    params: roomParams.extend({ eventId: identifier }),
    answer: jsonObject,
    handle: async ({ params: { roomId, eventId }, requester: { userId, deviceId } }) => {
      const found = await deps.roomserver.event(roomId, userId, eventId, deviceId);
      if (found === undefined) throw notFound('There is no such event that you may see.');
      return clientEvent(found, Date.now());
    },
  });
