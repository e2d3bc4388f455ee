import type { CallBus } from '@seneschal/bus';
import { federation, roomserver, type RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { type JsonObject, notFound, serverNameOf } from '@seneschal/matrix';
import { clientEvent } from '@seneschal/syncapi';
import { z } from 'zod';

import { eventIdAnswer, identifier, jsonObject, roomParams } from './shapes.ts';

const paths = [
  '/rooms/:roomId/state/:eventType/:stateKey',
  '/rooms/:roomId/state/:eventType/',
  '/rooms/:roomId/state/:eventType',
].flatMap(clientPaths);

const params = roomParams.extend({ eventType: identifier, stateKey: identifier.default('') });

/** `GET /rooms/{roomId}/state/{eventType}/{stateKey}`; an empty state key may be left out. */
export const getStateEvent = (deps: { roomserver: Pick<RoomserverForClient, 'stateEvent'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: paths,
    access: 'user',
    rateLimit: 'read',
    summary: 'One state event of a room',
    params,
    query: z.object({ format: z.enum(['content', 'event']).default('content') }),
    answer: jsonObject,
    handle: async ({ params: { roomId, eventType, stateKey }, query, requester: { userId } }) => {
      const found = await deps.roomserver.stateEvent(roomId, userId, eventType, stateKey);
      if (found === undefined) throw notFound('The room has no such state.');
      return query.format === 'event' ? clientEvent(found, Date.now()) : found.pdu.content;
    },
  });

/** `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`. */
export const putStateEvent = (deps: { bus: CallBus; serverName: string }): Endpoint =>
  endpoint({
    method: 'PUT',
    path: paths,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Sets state of a room',
    params,
    body: jsonObject,
    answer: eventIdAnswer,
    handle: async ({ params: { roomId, eventType: type, stateKey }, body: content, requester }) => {
      if (type === 'm.room.member' && isInviteElsewhere(stateKey, content, deps.serverName)) {
        const asked = { roomId, sender: requester.userId, target: stateKey, content };
        return { event_id: (await deps.bus.call(federation.inviteUser, asked)).eventId };
      }
      const input = { roomId, sender: requester.userId, type, stateKey, content };
      return { event_id: (await deps.bus.call(roomserver.sendEvent, input)).eventId };
    },
  });

/** Users of other servers learn of an invite, and may refuse it, by their servers alone. */
function isInviteElsewhere(target: string, content: JsonObject, serverName: string): boolean {
  const server = serverNameOf(target);
  return content['membership'] === 'invite' && server !== undefined && server !== serverName;
}
