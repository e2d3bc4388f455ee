import type { CallBus } from '@seneschal/bus';
import type { SyncapiForClient } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';

import { getFilter, postFilter } from './filters.ts';
import { keyChanges } from './key-changes.ts';
import { sync } from './sync.ts';

/** Sync, its filters, and the changes of device lists. */
export function syncEndpoints(deps: {
  bus: CallBus;
  syncapi: Pick<SyncapiForClient, 'sync' | 'filter' | 'keyChanges'>;
}): Endpoint[] {
  return [sync(deps), postFilter(deps), getFilter(deps), keyChanges(deps)];
}
