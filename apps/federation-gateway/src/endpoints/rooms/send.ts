import type { CallBus } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { pdu } from './shapes.ts';

/** Server-server API, `PUT /send/{txnId}`. */
export const send = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'PUT',
    path: '/_matrix/federation/v1/send/:txnId',
    access: 'server',
    rateLimit: 'none',
    summary: 'Events and other news of another server',
    params: z.object({ txnId: z.string().min(1).max(255) }),
    body: z.object({
      pdus: z.array(pdu).max(50, 'has more than 50 events'),
      edus: z.array(pdu).max(100, 'has more than 100 entries').optional(),
    }),
    answer: z.object({ pdus: z.record(z.string(), z.object({ error: z.string().optional() })) }),
    handle: ({ origin, body: { pdus, edus = [] } }) =>
      deps.bus.call(federation.receiveTransaction, { origin, pdus, edus }),
  });
