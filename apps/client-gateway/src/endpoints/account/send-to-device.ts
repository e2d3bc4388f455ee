import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { deviceId, empty, jsonObject, text, userId } from './schemas.ts';

/** `PUT /sendToDevice/{eventType}/{txnId}`: the same transaction of the same device again sends nothing. */
export const sendToDevice = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/sendToDevice/:eventType/:txnId'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Send a message to devices',
    params: z.object({ eventType: text(), txnId: text() }),
    body: z.object({ messages: z.record(userId, z.record(deviceId, jsonObject)) }),
    answer: empty,
    handle: async ({ requester, params: { eventType: type, txnId }, body: { messages } }) => {
      const idempotencyKey = [requester.userId, requester.deviceId, type, txnId].join('\0');
      await deps.bus.call(
        userapi.sendToDevice,
        { sender: requester.userId, type, messages },
        { idempotencyKey },
      );
      return {};
    },
  });
