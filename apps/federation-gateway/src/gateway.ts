import { loadSigner } from '@seneschal/federation';
import type { Gateway, Platform } from '@seneschal/service';

import { serverKey } from './endpoints/server-key.ts';
import { version } from './endpoints/version.ts';

/** /_matrix/federation and /_matrix/key. Nobody calls these with an access token. */
export async function federationGateway({ config }: Pick<Platform, 'config'>): Promise<Gateway> {
  const signer = await loadSigner(config);
  return {
    endpoints: [version(), serverKey({ signer })],
    userapi: { requesterByToken: () => Promise.resolve(undefined) },
  };
}
