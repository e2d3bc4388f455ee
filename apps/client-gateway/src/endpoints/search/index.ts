import type { Endpoint } from '@seneschal/http';

import { search, type SearchEndpointDeps } from './search.ts';

export function searchEndpoints(deps: SearchEndpointDeps): Endpoint[] {
  return [search(deps)];
}
