import type { CallBus } from '@seneschal/bus';
import type { RoomserverForClient, SlidingSyncForClient, SyncapiForClient } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';

import { getFilter, postFilter } from './filters.ts';
import { keyChanges } from './key-changes.ts';
import { notifications } from './notifications.ts';
import { readMarkers, receipt } from './receipts.ts';
import { slidingSync } from './sliding-sync.ts';
import { sync } from './sync.ts';
import { typing } from './typing.ts';

/** Sync, its filters, the changes of device lists, and what is told beside events: receipts and typing. */
export function syncEndpoints(deps: {
  bus: CallBus;
  roomserver: Pick<RoomserverForClient, 'event' | 'membership'>;
  syncapi: Pick<SyncapiForClient, 'sync' | 'filter' | 'keyChanges' | 'setTyping' | 'notifications'> &
    SlidingSyncForClient;
}): Endpoint[] {
  return [
    sync(deps),
    slidingSync(deps),
    postFilter(deps),
    getFilter(deps),
    keyChanges(deps),
    receipt(deps),
    readMarkers(deps),
    typing(deps),
    notifications(deps),
  ];
}
