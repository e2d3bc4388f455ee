import type { SearchForAdmin } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';

import { fulltextReindex, type ReindexDeps } from './fulltext-reindex.ts';
import { searchStatus } from './search-status.ts';

export interface SearchEndpointDeps extends ReindexDeps {
  search: SearchForAdmin;
}

/** The search index, as administrators look after it. */
export function searchEndpoints(deps: SearchEndpointDeps): Endpoint[] {
  return [...fulltextReindex(deps), searchStatus(deps)];
}
