import type { Bus } from '@seneschal/bus';
import {
  federation,
  type RoomserverForSync,
  type SyncapiForClient,
  type SyncRequest,
  type UserapiForSync,
} from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import { invalidParam, type JsonObject, own } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Metrics, type Stoppable } from '@seneschal/observability';

import { acknowledge, type AcknowledgeDeps } from './sync/acknowledge.ts';
import { compileFilter, parseFilterText } from './filters.ts';
import { filter } from './queries/filter.ts';
import { notifications } from './queries/notifications.ts';
import { keyChanges } from './queries/key-changes.ts';
import type { SyncapiTables } from './storage/tables.ts';
import { Departures } from './sync/departures.ts';
import { Gate } from './sync/gate.ts';
import { longPoll, type LongPollDeps } from './sync/long-poll.ts';
import { Positions } from './sync/positions.ts';
import { parseSyncToken, positionOf, toDeviceOf, tokenOf } from './tokens.ts';
import { UnreadCounts } from './sync/unread.ts';
import { Typing } from './typing/typing.ts';
import { listenForWakeups } from './wakeups/listen.ts';
import { Waiters } from './wakeups/waiters.ts';

export interface SyncapiReadsDeps {
  bus: Pick<Bus, 'call' | 'subscribe' | 'prefix' | 'redis'>;
  database: Database;
  logger: Pick<Logger, 'warn'>;
  metrics?: Pick<Metrics, 'gauge'>;
  roomserver: RoomserverForSync;
  userapi: UserapiForSync;
}

export type SyncapiReads = SyncapiForClient & Stoppable;

const longestTimeoutMs = 90_000;
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
    reads,
    waiters,
    positions: new Positions({ roomserver, userapi, typing }),
    gate: new Gate(gateWidth),
    isStopping: () => isStopping,
  };
  const storedFilter = (userId: string, filterId: string): Promise<JsonObject | undefined> =>
    filter(db, userId, filterId);
  return {
    sync: (request) => sync({ ...deps, bus, logger, departures }, storedFilter, request),
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

async function sync(
  deps: LongPollDeps & AcknowledgeDeps & { departures: Departures },
  storedFilter: SyncapiForClient['filter'],
  request: SyncRequest,
): Promise<JsonObject> {
  const { userId, deviceId, fullState, stateAfter, signal } = request;
  const since = request.since === undefined ? null : parseSyncToken(request.since);
  if (since !== null) {
    deps.departures.cameBack(userId, deviceId, since.roomserver);
    await acknowledge(deps, { userId, deviceId }, toDeviceOf(since));
  }
  const answer = await longPoll(deps, {
    userId,
    deviceId,
    fullState,
    stateAfter,
    signal,
    since,
    filter: compileFilter(await filterOf(storedFilter, request)),
    timeoutMs: Math.min(request.timeoutMs, longestTimeoutMs),
  });
  if (Object.keys(own(own(answer, 'rooms'), 'leave') ?? {}).length > 0)
    deps.departures.told(userId, deviceId);
  return answer;
}

async function filterOf(
  storedFilter: SyncapiForClient['filter'],
  { userId, filter: asked }: SyncRequest,
): Promise<JsonObject> {
  if (asked === undefined) return {};
  if (typeof asked !== 'string') return asked;
  if (asked.startsWith('{')) return parseFilterText(asked);
  const stored = await storedFilter(userId, asked);
  if (stored === undefined) throw invalidParam('There is no filter of this ID.');
  return stored;
}
