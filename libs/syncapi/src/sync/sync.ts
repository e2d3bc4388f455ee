import type { SyncapiForClient, SyncRequest } from '@seneschal/contracts';
import { invalidParam, type JsonObject, own } from '@seneschal/matrix';

import { compileFilter, parseFilterText } from '../filters.ts';
import { parseSyncToken, toDeviceOf } from '../tokens.ts';
import { acknowledge, type AcknowledgeDeps } from './acknowledge.ts';
import { buildSync } from './build-sync.ts';
import type { Departures } from './departures.ts';
import { longPoll, type LongPollDeps } from './long-poll.ts';
import type { SyncReads } from './sync-query.ts';

export interface SyncDeps extends Omit<LongPollDeps, 'reads'>, Omit<AcknowledgeDeps, 'reads'> {
  reads: SyncReads;
  departures: Departures;
}

/** The longest that a client waits, in ms. */
export const longestTimeoutMs = 90_000;

/** `GET /sync`. */
export async function sync(
  deps: SyncDeps,
  storedFilter: SyncapiForClient['filter'],
  request: SyncRequest,
): Promise<JsonObject> {
  const { userId, deviceId, fullState, stateAfter, signal } = request;
  const since = request.since === undefined ? null : parseSyncToken(request.since);
  if (since !== null) {
    deps.departures.cameBack(userId, deviceId, since.roomserver);
    await acknowledge(deps, { userId, deviceId }, toDeviceOf(since));
  }
  const filter = compileFilter(await filterOf(storedFilter, request));
  const { body } = await longPoll(deps, {
    userId,
    signal,
    isAtOnce: since === null || fullState,
    timeoutMs: Math.min(request.timeoutMs, longestTimeoutMs),
    build: (until) =>
      buildSync(deps.reads, { userId, deviceId, fullState, stateAfter, since, filter, until }),
  });
  if (Object.keys(own(own(body, 'rooms'), 'leave') ?? {}).length > 0) deps.departures.told(userId, deviceId);
  return body;
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
