import type { SearchForAdmin } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';

import { fulltextReindex } from './fulltext-reindex.ts';
import { searchStatus } from './search-status.ts';

export interface SearchEndpointDeps {
  search: SearchForAdmin;
  jobs: Pick<Jobs, 'start' | 'reads'>;
}

/** The search index, as administrators look after it. */
export function searchEndpoints(deps: SearchEndpointDeps): Endpoint[] {
  return [...fulltextReindex(deps), searchStatus(deps)];
}
