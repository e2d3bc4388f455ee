import type { Endpoint } from '@seneschal/http';

import { accountEndpoints } from './account/index.ts';
import { discoveryEndpoints } from './discovery/index.ts';
import { roomEndpoints } from './rooms/index.ts';
import { searchEndpoints } from './search/index.ts';
import { syncEndpoints } from './sync/index.ts';

export type ClientEndpointDeps = Parameters<typeof accountEndpoints>[0] &
  Parameters<typeof discoveryEndpoints>[0] &
  Parameters<typeof roomEndpoints>[0] &
  Parameters<typeof searchEndpoints>[0] &
  Parameters<typeof syncEndpoints>[0];

/** Everything under /_matrix/client, and how this server is found. */
export function clientEndpoints(deps: ClientEndpointDeps): Endpoint[] {
  return [
    ...discoveryEndpoints(deps),
    ...accountEndpoints(deps),
    ...roomEndpoints(deps),
    ...syncEndpoints(deps),
    ...searchEndpoints(deps),
  ];
}
