export type { Delivery, DeliveryCount, DeliveryState } from './deliveries.ts';
export { webhookEvents, type WebhookEventType } from './events.ts';
export { webhooksMigrations } from './migrations.ts';
export type { Receiver, WebhooksConfig } from './receivers.ts';
export { signatureOf } from './sign.ts';
export { Webhooks, type WebhooksOptions } from './webhooks.ts';
