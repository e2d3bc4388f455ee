import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { eventIdAnswer, identifier, roomParams } from './shapes.ts';

/** `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`. */
export const redact = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/rooms/:roomId/redact/:eventId/:txnId'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Redacts an event',
    params: roomParams.extend({ eventId: identifier, txnId: identifier }),
    body: z.looseObject({ reason: z.string().optional() }),
    bodyOptional: true,
    answer: eventIdAnswer,
    handle: async ({ params: { roomId, eventId: redacts, txnId }, body: { reason }, requester }) => {
      const { eventId } = await deps.bus.call(roomserver.sendEvent, {
        roomId,
        sender: requester.userId,
        type: 'm.room.redaction',
        content: reason === undefined ? {} : { reason },
        redacts,
        ownOnly: requester.isSuspended === true,
        transaction: { deviceId: requester.deviceId, transactionId: txnId },
      });
      return { event_id: eventId };
    },
  });
