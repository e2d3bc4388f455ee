import type { Bus } from '@seneschal/bus';
import {
  federation,
  type RoomserverForSliding,
  type RoomserverForSync,
  type SlidingSyncForClient,
  type SyncapiForClient,
  type UserapiForSync,
} from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import type { JsonObject } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Metrics, type Stoppable } from '@seneschal/observability';

import { filter } from './queries/filter.ts';
import { notifications } from './queries/notifications.ts';
import { keyChanges } from './queries/key-changes.ts';
import { slidingSync } from './sliding/sliding-sync.ts';
import type { SyncapiTables } from './storage/tables.ts';
import { Departures } from './sync/departures.ts';
import { Gate } from './sync/gate.ts';
import { Positions } from './sync/positions.ts';
import { sync } from './sync/sync.ts';
import { parseSyncToken, positionOf, tokenOf } from './tokens.ts';
import { UnreadCounts } from './sync/unread.ts';
import { Typing } from './typing/typing.ts';
import { listenForWakeups } from './wakeups/listen.ts';
import { Waiters } from './wakeups/waiters.ts';

export interface SyncapiReadsDeps {
  bus: Pick<Bus, 'call' | 'subscribe' | 'prefix' | 'redis'>;
  database: Database;
  logger: Pick<Logger, 'warn'>;
  metrics?: Pick<Metrics, 'gauge'>;
  roomserver: RoomserverForSync & RoomserverForSliding;
  userapi: UserapiForSync;
}

export type SyncapiReads = SyncapiForClient & SlidingSyncForClient & Stoppable;

const longestTypingMs = 120_000;
/** What is told later than that is of no use. */
const tellingMs = 5000;
/** Syncs that one process works on at once; those that merely wait do not count. */
const gateWidth = 8;

/** Syncs and what goes with them, run in the gateway that asks. Stopping answers those who wait. */
export function syncapiReads(given: SyncapiReadsDeps): SyncapiReads {
  const { bus, database, logger, metrics, roomserver, userapi } = given;
  const lifecycle = new Lifecycle();
  const waiters = new Waiters();
  metrics?.gauge('seneschal_sync_waiting', 'Syncs that wait for news', [], () => [{ value: waiters.count }]);
  let isStopping = false;
  lifecycle.add(listenForWakeups(bus, waiters, logger));
  lifecycle.add({
    stop: async () => {
      isStopping = true;
      waiters.wakeAll();
    },
  });
  const db = database.tables<SyncapiTables>();
  const typing = lifecycle.add(new Typing({ bus, logger, tell: tellServers({ bus, roomserver }) }));
  const reads = { roomserver, userapi, typing, unread: new UnreadCounts({ roomserver, userapi }) };
  const departures = lifecycle.add(new Departures({ bus, roomserver, userapi, logger }));
  const deps = {
    bus,
    logger,
    departures,
    reads,
    waiters,
    positions: new Positions({ roomserver, userapi, typing }),
    gate: new Gate(gateWidth),
    isStopping: () => isStopping,
  };
  const storedFilter = (userId: string, filterId: string): Promise<JsonObject | undefined> =>
    filter(db, userId, filterId);
  return {
    sync: (request) => sync(deps, storedFilter, request),
    slidingSync: (request) => slidingSync({ ...deps, db }, request),
    filter: storedFilter,
    keyChanges: (userId, from, to) => keyChanges(reads, userId, parseSyncToken(from), parseSyncToken(to)),
    notifications: (request) => notifications(reads, request),
    setTyping: ({ roomId, userId, timeoutMs }) =>
      typing.set(roomId, userId, Math.min(timeoutMs, longestTypingMs)),
    positionOf,
    tokenOf,
    stop: () => lifecycle.stop(),
  };
}

/** Other servers are told by the federation component, of rooms that they are in. */
function tellServers({
  bus,
  roomserver,
}: {
  bus: Pick<Bus, 'call'>;
  roomserver: Pick<RoomserverForSync, 'isShared'>;
}): (roomId: string, userId: string, isTyping: boolean) => Promise<void> {
  return async (roomId, userId, isTyping) => {
    if (await roomserver.isShared(roomId))
      await bus.call(federation.sendTyping, { roomId, userId, isTyping }, { timeoutMs: tellingMs });
  };
}
