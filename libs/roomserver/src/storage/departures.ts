import { type Kysely, sql } from 'kysely';

import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/**
 * Remembers a page of the local users for whom the room is to show as left: those who are in it, and those
 * who went out of it before, as a device of theirs may not know yet. Answers the last user ID of the page,
 * undefined when there are none after it.
 */
export async function rememberDepartures(
  db: Db,
  roomNid: number,
  page: { after: string; limit: number },
): Promise<string | undefined> {
  const result = await sql<{ last: string | null; count: number }>`
    WITH page AS MATERIALIZED (
      SELECT user_id, membership, position, is_local AND NOT is_forgotten AS is_told FROM roomserver_memberships
      WHERE room_nid = ${roomNid} AND user_id > ${page.after} ORDER BY user_id LIMIT ${page.limit}
    ), told AS (
      INSERT INTO roomserver_departures (room_nid, user_id, position, created_ts)
      SELECT ${roomNid}::bigint, user_id,
        CASE WHEN membership = ANY('{leave,ban}'::text[]) THEN position END, ${Date.now()}::bigint
      FROM page WHERE is_told
      ON CONFLICT (room_nid, user_id) DO UPDATE SET position = EXCLUDED.position
    )
    SELECT max(user_id) AS last, count(*) AS count FROM page
  `.execute(db);
  const { last, count } = result.rows[0] ?? { last: null, count: 0 };
  return last === null || count < page.limit ? undefined : last;
}

/**
 * Marks what a device has been told, having come back with a token of `since`; forgets what all `devices` of
 * the user know by now.
 */
export async function markDeparturesSeen(
  db: Db,
  seen: { userId: string; deviceId: string; since: number; devices: readonly string[] },
): Promise<void> {
  await sql`
    WITH known AS (
      SELECT d.room_nid, d.seen_by || ${seen.deviceId}::text AS seen_by FROM ${toldUpTo(seen)}
    ), done AS (
      DELETE FROM roomserver_departures d USING known k
      WHERE d.room_nid = k.room_nid AND d.user_id = ${seen.userId} AND k.seen_by @> ${[...seen.devices]}::text[]
    )
    UPDATE roomserver_departures d SET seen_by = k.seen_by FROM known k
    WHERE d.room_nid = k.room_nid AND d.user_id = ${seen.userId} AND NOT k.seen_by @> ${[...seen.devices]}::text[]
  `.execute(db);
}

/** Whether there is anything for `markDeparturesSeen` to do. */
export async function hasUnmarkedDepartures(
  db: Db,
  seen: { userId: string; deviceId: string; since: number },
): Promise<boolean> {
  const result = await sql`SELECT 1 FROM ${toldUpTo(seen)} LIMIT 1`.execute(db);
  return result.rows.length > 0;
}

function toldUpTo(seen: { userId: string; deviceId: string; since: number }): ReturnType<typeof sql> {
  return sql`roomserver_departures d JOIN roomserver_deletions x USING (room_nid)
    WHERE d.user_id = ${seen.userId} AND x.purged_position <= ${seen.since}
      AND NOT ${seen.deviceId} = ANY(d.seen_by)`;
}

/** Forgets a batch of departures older than `before` (ms); answers how many. */
export async function forgetDepartures(db: Db, before: number, limit: number): Promise<number> {
  const result = await sql`
    DELETE FROM roomserver_departures WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM roomserver_departures WHERE created_ts < ${before} ORDER BY created_ts LIMIT ${limit}
    ))
  `.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}
