import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import type { WebhooksDeps } from './deliveries.ts';
import { path } from './shapes.ts';

const receiverAnswer = z.object({
  id: z.string(),
  receiver: z.string(),
  queued: z.number(),
  delivered: z.number(),
  failed: z.number(),
});

/** Who is told, and how it goes. */
export const listReceivers = ({ webhooks }: WebhooksDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The receivers of webhooks, with how many deliveries of each stand where',
    answer: z.object({ receivers: z.array(receiverAnswer) }),
    handle: async () => {
      const counts = await webhooks.counts();
      const countOf = (id: string, state: string): number =>
        counts.find((one) => one.receiver_id === id && one.state === state)?.count ?? 0;
      return {
        receivers: webhooks.receivers.map(({ id, origin }) => ({
          id,
          receiver: origin,
          queued: countOf(id, 'queued'),
          delivered: countOf(id, 'delivered'),
          failed: countOf(id, 'failed'),
        })),
      };
    },
  });

/** Sends every receiver a `ping`, to see whether it gets there. */
export const pingReceivers = ({ webhooks }: WebhooksDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: `${path}/ping`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Sends every receiver of webhooks an event of the type ping',
    answer: z.object({ deliveries: z.number() }),
    handle: async ({ requester }) => ({ deliveries: await webhooks.ping(requester.userId) }),
  });
