import type { JsonObject } from '@seneschal/matrix';

/** What receivers can be told of. */
export const webhookEvents = [
  'ping',
  'content_reported',
  'account_registered',
  'job_failed',
  'job_late',
  'consumer_lagging',
  'destination_lagging',
  'destination_recovered',
] as const;
export type WebhookEventType = (typeof webhookEvents)[number];

/** Something that happened. Identifiers only: who wants to know more asks the admin API. */
export interface WebhookEvent {
  /** The same for the same happening, however often it is found. */
  id: string;
  type: WebhookEventType;
  ts: number;
  data: JsonObject;
}
