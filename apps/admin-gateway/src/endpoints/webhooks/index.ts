import type { Endpoint } from '@seneschal/http';

import { listDeliveries, retryDelivery, type WebhooksDeps } from './deliveries.ts';
import { listReceivers, pingReceivers } from './receivers.ts';

export type { WebhooksDeps };

/** The webhooks, as administrators look after them. */
export function webhookEndpoints(deps: WebhooksDeps): Endpoint[] {
  return [listReceivers(deps), pingReceivers(deps), listDeliveries(deps), retryDelivery(deps)];
}
