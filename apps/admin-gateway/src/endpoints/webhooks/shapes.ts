import { type Delivery, webhookEvents } from '@seneschal/webhooks';
import { z } from 'zod';

export const path = '/_seneschal/v1/webhooks';

export const deliveryStates = ['queued', 'delivered', 'failed'] as const;

export const deliveryAnswer = z.object({
  id: z.string(),
  event_id: z.string(),
  type: z.string(),
  receiver_id: z.string(),
  /** Scheme, host and port alone: the path may be a secret. */
  receiver: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.number(),
  /** Null when no further attempt is made. */
  next_try_ts: z.number().nullable(),
  last_status: z.number().nullable(),
  last_error: z.string().nullable(),
  created_ts: z.number(),
  updated_ts: z.number(),
});

export const eventType = z.enum(webhookEvents);

export function toAnswer(delivery: Delivery): z.infer<typeof deliveryAnswer> {
  return {
    id: delivery.delivery_id,
    event_id: delivery.event_id,
    type: delivery.type,
    receiver_id: delivery.receiver_id,
    receiver: delivery.receiver,
    state: delivery.state,
    attempts: delivery.attempts,
    next_try_ts: delivery.state === 'queued' ? delivery.next_try_ts : null,
    last_status: delivery.last_status,
    last_error: delivery.last_error,
    created_ts: delivery.created_ts,
    updated_ts: delivery.updated_ts,
  };
}
