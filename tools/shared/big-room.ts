import type pg from 'pg';

export interface Filling {
  roomId: string;
  sender: string;
  count: number;
  /** Of the events; m.room.message when absent. */
  type?: string;
}

/** Events that one statement writes. */
const batch = 50_000;

/**
 * Puts events into a room as sending them would have stored them: with facts and transactions, some 500 bytes
 * each. Consumers are not told: they find them when they next look at the log.
 */
export async function fillRoom(database: pg.Client, filling: Filling): Promise<void> {
  const { roomId, sender, count, type = 'm.room.message' } = filling;
  for (let written = 0; written < count; written += batch) {
    await database.query(insertEvents, [roomId, sender, Math.min(batch, count - written), type]);
  }
  await database.query('ANALYZE roomserver_events, roomserver_output, roomserver_transactions');
}

const insertEvents = `
  WITH new AS MATERIALIZED (
    SELECT n, nextval('roomserver_output_position') AS position FROM generate_series(1, $3::int) AS n
  ), room AS (
    UPDATE roomserver_rooms SET last_position = (SELECT max(position) FROM new)
    WHERE room_id = $1 RETURNING room_nid
  ), named AS MATERIALIZED (
    SELECT position, room_nid,
      '$' || translate(rtrim(encode(sha256(($1 || position)::bytea), 'base64'), '='), '+/', '-_') AS event_id
    FROM new, room
  ), facts AS (
    INSERT INTO roomserver_output (position, fact, created_ts)
    SELECT position, jsonb_build_object('kind', 'events_stored', 'roomId', $1::text, 'first', position,
      'count', 1, 'memberships', '[]'::jsonb), 0 FROM new
  ), sent AS (
    INSERT INTO roomserver_transactions (user_id, device_id, transaction_id, room_nid, event_id, created_ts)
    SELECT $2, 'BENCH', 't' || position, room_nid, event_id, 0 FROM named
  )
  INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
  SELECT position, room_nid, event_id, $4, $2,
    jsonb_build_object('type', $4::text, 'sender', $2::text, 'room_id', $1::text,
      'content', jsonb_build_object('msgtype', 'm.text', 'body', repeat('whale ', 40)),
      'prev_events', jsonb_build_array(event_id), 'depth', position)::text
  FROM named`;

/** Puts local members into a room, who need no accounts, as joining would have stored them; numbered from `first` on. */
export async function fillMembers(
  database: pg.Client,
  {
    roomId,
    count,
    serverName,
    first = 1,
  }: { roomId: string; count: number; serverName: string; first?: number },
): Promise<void> {
  await database.query(insertMembers, [roomId, count, serverName, first]);
  await database.query('ANALYZE roomserver_events, roomserver_memberships');
}

const insertMembers = `
  WITH new AS MATERIALIZED (
    SELECT nextval('roomserver_output_position') AS position, '@filled-' || n || ':' || $3 AS user_id
    FROM generate_series($4::int, $4::int + $2::int - 1) AS n
  ), room AS (
    UPDATE roomserver_rooms SET last_position = (SELECT max(position) FROM new),
      joined_members = joined_members + $2::int
    WHERE room_id = $1 RETURNING room_nid
  ), fact AS (
    INSERT INTO roomserver_output (position, fact, created_ts)
    SELECT max(position), jsonb_build_object('kind', 'events_stored', 'roomId', $1::text, 'first', min(position),
      'count', $2::int, 'memberships', '[]'::jsonb), 0 FROM new
  ), members AS (
    INSERT INTO roomserver_memberships (room_nid, user_id, membership, position, is_local)
    SELECT room_nid, user_id, 'join', position, true FROM new, room
  )
  INSERT INTO roomserver_events (position, room_nid, event_id, type, state_key, sender, json)
  SELECT position, room_nid,
    '$' || translate(rtrim(encode(sha256(($1 || position)::bytea), 'base64'), '='), '+/', '-_'),
    'm.room.member', user_id, user_id,
    jsonb_build_object('type', 'm.room.member', 'sender', user_id, 'state_key', user_id, 'room_id', $1::text,
      'content', jsonb_build_object('membership', 'join'), 'auth_events', '[]'::jsonb, 'prev_events', '[]'::jsonb,
      'depth', 2, 'origin_server_ts', 1700000000000)::text
  FROM new, room`;
