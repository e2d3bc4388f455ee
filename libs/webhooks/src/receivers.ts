import { createHash } from 'node:crypto';

import type { Config } from '@seneschal/config';

export type WebhooksConfig = Pick<
  Config,
  'server_name' | 'webhook_urls' | 'webhook_secret' | 'webhook_allowed_networks' | 'job_retention'
>;

/** Somebody who is told. The path of the address may be a secret, so it is neither stored nor shown. */
export interface Receiver {
  id: string;
  url: string;
  origin: string;
}

export function receiversOf({ webhook_urls: urls }: Pick<Config, 'webhook_urls'>): Receiver[] {
  return [...new Set(urls)].map((url) => ({
    id: createHash('sha256').update(url).digest('base64url').slice(0, 16),
    url,
    origin: new URL(url).origin,
  }));
}
