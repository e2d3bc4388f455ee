import { sql, type Transaction } from 'kysely';

import { isBlockedSql } from './blocked-servers.ts';
import type { FederationDb, FederationTables } from './tables.ts';

export interface QueuedEvent {
  position: number;
  roomId: string;
  json: string;
  destinations: readonly string[];
}

/** Queues events, each for those of its servers that are not blocked. What is queued already stays as it is. */
export async function enqueue(
  transaction: Transaction<FederationTables>,
  events: readonly QueuedEvent[],
): Promise<void> {
  const names = await unblocked(transaction, new Set(events.flatMap(({ destinations }) => destinations)));
  const { queued, audiences } = audiencesOf(events, names);
  if (queued.length === 0) return;
  await sql`
    INSERT INTO federation_destinations (server_name) SELECT unnest(${[...names].sort()}::text[]) ON CONFLICT DO NOTHING
  `.execute(transaction);
  await sql`
    INSERT INTO federation_outgoing (position, room_id, json)
    SELECT * FROM unnest(
      ${queued.map((one) => one.position)}::bigint[], ${queued.map((one) => one.roomId)}::text[],
      ${queued.map((one) => one.json)}::text[]
    ) ON CONFLICT DO NOTHING
  `.execute(transaction);
  await sql`
    INSERT INTO federation_queue (server_name, position)
    SELECT a.server_name, e.position FROM unnest(
      ${queued.map((one) => one.position)}::bigint[], ${queued.map((one) => one.audience)}::int[]
    ) AS e (position, audience) JOIN unnest(
      ${audiences.map((one) => one.audience)}::int[], ${audiences.map((one) => one.serverName)}::text[]
    ) AS a (audience, server_name) USING (audience)
    ON CONFLICT DO NOTHING
  `.execute(transaction);
}

interface Audiences {
  queued: (QueuedEvent & { audience: number })[];
  audiences: { audience: number; serverName: string }[];
}

/** Events of one room have the same servers as a rule: 1,000 leaves for 50 of them are no 50,000 pairs on their way. */
function audiencesOf(events: readonly QueuedEvent[], open: ReadonlySet<string>): Audiences {
  const numbers = new Map<string, number>();
  const found: Audiences = { queued: [], audiences: [] };
  for (const event of events) {
    const names = event.destinations.filter((name) => open.has(name));
    if (names.length === 0) continue;
    const key = names.join(' ');
    const audience = numbers.get(key) ?? numbers.size;
    if (!numbers.has(key)) {
      numbers.set(key, audience);
      found.audiences.push(...names.map((serverName) => ({ audience, serverName })));
    }
    found.queued.push({ ...event, audience });
  }
  return found;
}

/** Those of the servers that are not blocked. */
export async function unblocked(
  transaction: Transaction<FederationTables>,
  names: ReadonlySet<string>,
): Promise<Set<string>> {
  if (names.size === 0) return new Set();
  const found = await sql<{ server_name: string }>`
    SELECT n.server_name FROM unnest(${[...names]}::text[]) AS n (server_name)
    WHERE NOT ${isBlockedSql(sql`n.server_name`)}
  `.execute(transaction);
  return new Set(found.rows.map((row) => row.server_name));
}

export interface NextEvents {
  /** In order. */
  pdus: { position: number; json: string }[];
  /** Whether EDUs wait, of either kind: as a rule none do, and none are looked for. */
  hasEdus: boolean;
  hasEphemeral: boolean;
}

/** The next events for a server, and whether there is anything else, in one round trip. */
export async function nextEvents(db: FederationDb, serverName: string, limit: number): Promise<NextEvents> {
  const result = await sql<{
    has_edus: boolean;
    has_ephemeral: boolean;
    position: number | null;
    json: string | null;
  }>`
    SELECT waiting.*, next.* FROM (SELECT
      EXISTS (SELECT FROM federation_edu_queue q WHERE q.server_name = ${serverName}) AS has_edus,
      EXISTS (SELECT FROM federation_ephemeral q WHERE q.server_name = ${serverName}) AS has_ephemeral
    ) AS waiting LEFT JOIN (
      SELECT o.position, o.json FROM federation_queue q JOIN federation_outgoing o USING (position)
      WHERE q.server_name = ${serverName} ORDER BY q.position LIMIT ${limit}
    ) AS next ON true ORDER BY next.position
  `.execute(db);
  return {
    pdus: result.rows.flatMap(({ position, json }) =>
      position === null || json === null ? [] : [{ position, json }],
    ),
    hasEdus: result.rows[0]?.has_edus ?? false,
    hasEphemeral: result.rows[0]?.has_ephemeral ?? false,
  };
}

/** Forgets what a server has, and the events that no other one waits for. */
export async function recordDelivered(
  db: FederationDb,
  serverName: string,
  positions: readonly number[],
  times: { now: number; until: number },
): Promise<void> {
  await sql`
    WITH delivered AS (
      DELETE FROM federation_queue WHERE server_name = ${serverName} AND position = ANY(${[...positions]}::bigint[])
    )
    UPDATE federation_destinations SET failures = 0, next_try_ts = 0, last_success_ts = ${times.now},
      last_error = NULL, claimed_until_ts = ${times.until}
    WHERE server_name = ${serverName}
  `.execute(db);
  await removeUnqueuedEvents(db, positions);
}

/** Forgets those of the events that no server waits for. */
async function removeUnqueuedEvents(db: FederationDb, positions: readonly number[]): Promise<void> {
  await sql`
    DELETE FROM federation_outgoing o WHERE position = ANY(${[...positions]}::bigint[])
      AND NOT EXISTS (SELECT FROM federation_queue q WHERE q.position = o.position)
  `.execute(db);
}

/** Drops what is queued for blocked servers, up to so many events; true when more may be left. */
export async function dropQueued(db: FederationDb, limit: number): Promise<boolean> {
  const dropped = await sql<{ position: number }>`
    DELETE FROM federation_queue q USING (
      SELECT p.server_name, p.position FROM federation_destinations d JOIN federation_queue p USING (server_name)
      WHERE ${isBlockedSql(sql`d.server_name`)} LIMIT ${limit}
    ) AS chosen
    WHERE q.server_name = chosen.server_name AND q.position = chosen.position RETURNING q.position
  `.execute(db);
  await removeUnqueuedEvents(
    db,
    dropped.rows.map((row) => row.position),
  );
  return dropped.rows.length === limit;
}

export async function recordFailure(
  db: FederationDb,
  serverName: string,
  failure: { error: string; now: number; waitMs: (failures: number) => number },
): Promise<void> {
  const row = await db
    .selectFrom('federation_destinations')
    .select('failures')
    .where('server_name', '=', serverName)
    .executeTakeFirst();
  const failures = (row?.failures ?? 0) + 1;
  await db
    .updateTable('federation_destinations')
    .set({
      failures,
      next_try_ts: failure.now + failure.waitMs(failures),
      last_failure_ts: failure.now,
      last_error: failure.error.slice(0, 500),
      claimed_until_ts: 0,
    })
    .where('server_name', '=', serverName)
    .execute();
}
