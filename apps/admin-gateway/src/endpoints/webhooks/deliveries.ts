import { endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam } from '@seneschal/matrix';
import type { Webhooks } from '@seneschal/webhooks';
import { z } from 'zod';

import { limitOr100 } from '../../paging.ts';
import { deliveryAnswer, deliveryStates, eventType, path, toAnswer } from './shapes.ts';

export interface WebhooksDeps {
  webhooks: Pick<Webhooks, 'receivers' | 'list' | 'counts' | 'retry' | 'ping'>;
}

/** What was sent to whom, newest first; `next_token` while there is more. */
export const listDeliveries = ({ webhooks }: WebhooksDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/deliveries`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'Deliveries of webhooks: state, last error and next attempt of each',
    query: z.object({
      state: z.enum(deliveryStates).optional(),
      type: eventType.optional(),
      receiver_id: z.string().optional(),
      from: z.string().optional(),
      limit: limitOr100,
    }),
    answer: z.object({ deliveries: z.array(deliveryAnswer), next_token: z.string().optional() }),
    handle: async ({ query: { receiver_id: receiverId, from, limit, ...filter } }) => {
      const after = from === undefined ? undefined : parsePlace(from);
      const rows = await webhooks.list({ ...filter, receiverId }, { after, limit: Math.max(limit, 1) });
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return {
        deliveries: rows.map(toAnswer),
        ...(last === undefined ? {} : { next_token: `${last.created_ts}_${last.delivery_id}` }),
      };
    },
  });

function parsePlace(from: string): { ts: number; id: string } {
  const [, ts, id] = /^(\d{1,15})_([\w-]{1,64})$/.exec(from) ?? [];
  if (ts === undefined || id === undefined) throw invalidParam('from: is not a next_token of this list.');
  return { ts: Number(ts), id };
}

/** Has a delivery tried at once, with all attempts anew. */
export const retryDelivery = ({ webhooks }: WebhooksDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: `${path}/deliveries/:id/retry`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Tries a delivery at once that failed or waits for its next attempt',
    params: z.object({ id: z.string().max(64) }),
    answer: deliveryAnswer,
    handle: async ({ params: { id } }) => toAnswer(await webhooks.retry(id)),
  });
