import type { Config } from '@seneschal/config';
import type { Endpoint } from '@seneschal/http';

import { clientWellKnown } from './client.ts';
import { serverWellKnown } from './server.ts';
import { supportWellKnown } from './support.ts';

export interface DiscoveryDeps {
  config: Pick<Config, 'public_base_url' | 'delegated_server' | 'support_contacts' | 'support_page'>;
}

/** What is told under /.well-known/matrix of the server of this domain. */
export function discoveryEndpoints(deps: DiscoveryDeps): Endpoint[] {
  return [clientWellKnown(deps), supportWellKnown(deps), serverWellKnown(deps)];
}
