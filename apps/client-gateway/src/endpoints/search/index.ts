import type { Endpoint } from '@seneschal/http';

import { search, type SearchEndpointDeps } from './search.ts';
import { thirdParty } from './third-party.ts';
import { searchUsers } from './user-directory.ts';

export function searchEndpoints(deps: SearchEndpointDeps & Parameters<typeof searchUsers>[0]): Endpoint[] {
  return [search(deps), searchUsers(deps), ...thirdParty()];
}
