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
  const rows = events.flatMap(({ position, destinations }) =>
    destinations.filter((name) => names.has(name)).map((serverName) => ({ serverName, position })),
  );
  if (rows.length === 0) return;
  const queued = new Set(rows.map((row) => row.position));
  const outgoing = events.filter(({ position }) => queued.has(position));
  await sql`
    INSERT INTO federation_destinations (server_name) SELECT unnest(${[...names].sort()}::text[]) ON CONFLICT DO NOTHING
  `.execute(transaction);
  await sql`
    INSERT INTO federation_outgoing (position, room_id, json)
    SELECT * FROM unnest(
      ${outgoing.map((one) => one.position)}::bigint[], ${outgoing.map((one) => one.roomId)}::text[],
      ${outgoing.map((one) => one.json)}::text[]
    ) ON CONFLICT DO NOTHING
  `.execute(transaction);
  await sql`
    INSERT INTO federation_queue (server_name, position)
    SELECT * FROM unnest(${rows.map((row) => row.serverName)}::text[], ${rows.map((row) => row.position)}::bigint[])
    ON CONFLICT DO NOTHING
  `.execute(transaction);
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

/** The next events for a server, in order. */
export async function nextBatch(
  db: FederationDb,
  serverName: string,
  limit: number,
): Promise<{ position: number; json: string }[]> {
  const result = await sql<{ position: number; json: string }>`
    SELECT o.position, o.json FROM federation_queue q JOIN federation_outgoing o USING (position)
    WHERE q.server_name = ${serverName} ORDER BY q.position LIMIT ${limit}
  `.execute(db);
  return result.rows;
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
