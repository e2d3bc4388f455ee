import type { SlidingSyncRequest } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import type { Kysely } from 'kysely';

import { selectToldMembers } from '../storage/connections.ts';
import type { SyncapiTables } from '../storage/tables.ts';
import { acknowledge } from '../sync/acknowledge.ts';
import { longPoll } from '../sync/long-poll.ts';
import { longestTimeoutMs, type SyncDeps } from '../sync/sync.ts';
import type { SyncPosition } from '../tokens.ts';
import { buildSliding } from './build-sliding.ts';
import { conclude, type OpenConnection, resume } from './connection.ts';
import { checkBounds } from './lists.ts';
import { parsePos, parseToDeviceToken, posOf } from './pos.ts';
import type { Known, SlidingReads } from './sliding-query.ts';

export interface SlidingSyncDeps extends Omit<SyncDeps, 'reads'> {
  reads: Omit<SlidingReads, 'toldMembers'>;
  db: Kysely<SyncapiTables>;
}

const nothingKnown: Known = { rooms: new Map(), configs: [] };

/** `POST …/org.matrix.simplified_msc3575/sync` (MSC4186). */
export async function slidingSync(deps: SlidingSyncDeps, request: SlidingSyncRequest): Promise<JsonObject> {
  const { userId, deviceId, body, signal } = request;
  checkBounds(body);
  const owner = { userId, deviceId, connId: body.conn_id ?? '' };
  const pos = request.pos === undefined ? undefined : parsePos(request.pos);
  const open = pos === undefined ? undefined : await resume(deps.db, owner, pos);
  const since = pos?.position ?? null;
  if (since !== null) deps.departures.cameBack(userId, deviceId, since.roomserver);
  await acknowledgeMessages(deps, request);
  const reads = { ...deps.reads, toldMembers: toldMembers(deps.db, open) };
  const built = await longPoll(deps, {
    userId,
    signal,
    isAtOnce: since === null,
    timeoutMs: Math.min(request.timeoutMs, longestTimeoutMs),
    build: async (until) => {
      const query = { userId, deviceId, body, known: open ?? nothingKnown, since, until };
      return { ...(await buildSliding(reads, query)), until };
    },
  });
  if (built.hasDepartures) deps.departures.told(userId, deviceId);
  const txn = body.txn_id === undefined ? {} : { txn_id: body.txn_id };
  return { pos: await nextPos(deps, request, { owner, open, built }), ...txn, ...built.body };
}

/** Nothing is noted for a client that has gone: it comes back with the `pos` that it had, or has begun anew since. */
async function nextPos(
  { db }: Pick<SlidingSyncDeps, 'db'>,
  { signal }: Pick<SlidingSyncRequest, 'signal'>,
  answer: {
    owner: Parameters<typeof conclude>[1];
    open: OpenConnection | undefined;
    built: Parameters<typeof conclude>[3] & { until: SyncPosition };
  },
): Promise<string> {
  const { owner, open, built } = answer;
  if (signal.aborted) return posOf({ connectionId: 0, seq: 0, ...open, position: built.until });
  return conclude(db, owner, open, built, built.until);
}

function toldMembers(
  db: Kysely<SyncapiTables>,
  open: OpenConnection | undefined,
): SlidingReads['toldMembers'] {
  return async (roomIds) =>
    open === undefined ? new Map() : selectToldMembers(db, open.connectionId, open.seq, roomIds);
}

/** The client says by a token of its own up to where it has messages to the device. */
async function acknowledgeMessages(deps: SlidingSyncDeps, request: SlidingSyncRequest): Promise<void> {
  const { userId, deviceId, body } = request;
  const { enabled, since } = body.extensions.to_device ?? {};
  if (enabled !== true || typeof since !== 'string') return;
  await acknowledge(deps, { userId, deviceId }, parseToDeviceToken(since));
}
