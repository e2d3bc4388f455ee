import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { ownString } from '@seneschal/matrix';

import { eventIdAnswer, identifier, jsonObject, roomParams } from './shapes.ts';

/** `PUT /rooms/{roomId}/send/{eventType}/{txnId}`: the same transaction again answers the same event. */
export const send = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/rooms/:roomId/send/:eventType/:txnId'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Sends a message event',
    params: roomParams.extend({ eventType: identifier, txnId: identifier }),
    body: jsonObject,
    answer: eventIdAnswer,
    handle: async ({ params: { roomId, eventType: type, txnId }, body: content, requester }) => {
      const { eventId } = await deps.bus.call(roomserver.sendEvent, {
        roomId,
        sender: requester.userId,
        type,
        content,
        redacts: type === 'm.room.redaction' ? ownString(content, 'redacts') : undefined,
        transaction: { deviceId: requester.deviceId, transactionId: txnId },
      });
      return { event_id: eventId };
    },
  });
