import { type Kysely, sql, type Transaction } from 'kysely';

import type { Membership } from '@seneschal/contracts';

import type { SyncapiTables } from './tables.ts';

type Db = Kysely<SyncapiTables>;
type Trx = Transaction<SyncapiTables>;

export interface ConnectionName {
  userId: string;
  deviceId: string;
  connId: string;
}

/** What the client was told of a room. */
export interface ToldRoom {
  roomId: string;
  membership: Membership;
  /** Told as left: the client comes back, and nothing is known of the room any more. */
  isGone: boolean;
  /** Everything of the room up to this position of the room server. */
  toldUpTo: number;
  /** So many of its last events, at the least. */
  timelineLimit: number;
  /** Place in the connection's `configs`. */
  config: number;
  bump: number;
  isDm: boolean;
  members: readonly string[];
}

export interface ConnectionRow {
  connectionId: number;
  connId: string;
  acked: number;
  issued: number;
  /** Canonical lists of type and key. */
  configs: string[];
  usedTs: number;
}

/** A device has no more connections than that: the one that was used longest ago makes room. */
const mostConnections = 10;

/** The connection of a device, locked to the end of the transaction. */
export async function lockConnection(
  trx: Trx,
  connectionId: number,
  owner: Pick<ConnectionName, 'userId' | 'deviceId'>,
): Promise<ConnectionRow | undefined> {
  const row = await trx
    .selectFrom('syncapi_connections')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .where('user_id', '=', owner.userId)
    .where('device_id', '=', owner.deviceId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { conn_id: connId, acked, issued, configs, used_ts: usedTs } = row;
  return { connectionId, connId, acked, issued, configs: configs as string[], usedTs };
}

/** Takes the place of a connection of the same name; answers its ID. */
export async function insertConnection(
  trx: Trx,
  { userId, deviceId, connId }: ConnectionName,
  configs: readonly string[],
): Promise<number> {
  const device = `${userId} ${deviceId}`;
  await sql`SELECT pg_advisory_xact_lock(${lockClass}::int, hashtext(${device}))`.execute(trx);
  const old = await sql<{ connection_id: number }>`
    SELECT connection_id FROM syncapi_connections WHERE user_id = ${userId} AND device_id = ${deviceId}
    ORDER BY conn_id <> ${connId} DESC, used_ts DESC OFFSET ${mostConnections - 1}
  `.execute(trx);
  const same = await sql<{ connection_id: number }>`
    SELECT connection_id FROM syncapi_connections
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND conn_id = ${connId}
  `.execute(trx);
  await deleteConnections(
    trx,
    [...old.rows, ...same.rows].map((row) => row.connection_id),
  );
  const now = Date.now();
  const result = await sql<{ connection_id: number }>`
    INSERT INTO syncapi_connections (user_id, device_id, conn_id, acked, issued, configs, created_ts, used_ts)
    VALUES (${userId}, ${deviceId}, ${connId}, 0, 1, ${JSON.stringify(configs)}::jsonb, ${now}, ${now})
    RETURNING connection_id
  `.execute(trx);
  return result.rows[0]?.connection_id ?? 0;
}

/** Of the advisory locks by which a device makes one connection at a time. */
const lockClass = 4186;

export async function deleteConnections(db: Db, connectionIds: readonly number[]): Promise<void> {
  if (connectionIds.length === 0) return;
  const ids = sql`ANY(${[...connectionIds]}::bigint[])`;
  await sql`DELETE FROM syncapi_connection_rooms WHERE connection_id = ${ids}`.execute(db);
  await sql`DELETE FROM syncapi_connections WHERE connection_id = ${ids}`.execute(db);
}

/** The client has come back with an answer: what other answers said, and what this one has replaced, goes. */
export async function acknowledgeAnswer(trx: Trx, row: ConnectionRow, seq: number): Promise<void> {
  const { connectionId, acked } = row;
  await sql`
    DELETE FROM syncapi_connection_rooms r WHERE connection_id = ${connectionId} AND (
      (seq > ${acked} AND seq <> ${seq}) OR (seq = ${seq} AND is_gone) OR (seq <= ${acked} AND EXISTS (
        SELECT FROM syncapi_connection_rooms newer
        WHERE newer.connection_id = r.connection_id AND newer.room_id = r.room_id AND newer.seq = ${seq}
      ))
    )
  `.execute(trx);
  await sql`UPDATE syncapi_connections SET acked = ${seq}, used_ts = ${Date.now()}
    WHERE connection_id = ${connectionId}`.execute(trx);
}

export async function touchConnection(trx: Trx, connectionId: number): Promise<void> {
  await sql`UPDATE syncapi_connections SET used_ts = ${Date.now()}
    WHERE connection_id = ${connectionId}`.execute(trx);
}

/** What the client knows of rooms, all answers before the last one being acknowledged; without `members`. */
export async function selectToldRooms(db: Db, connectionId: number, acked: number): Promise<ToldRoom[]> {
  const rows = await db
    .selectFrom('syncapi_connection_rooms')
    .select(['room_id', 'membership', 'is_gone', 'told_up_to', 'timeline_limit', 'config', 'bump', 'is_dm'])
    .where('connection_id', '=', connectionId)
    .where('seq', '<=', acked)
    .execute();
  return rows.map((row) => ({
    roomId: row.room_id,
    membership: row.membership,
    isGone: row.is_gone,
    toldUpTo: row.told_up_to,
    timelineLimit: row.timeline_limit,
    config: row.config,
    bump: row.bump,
    isDm: row.is_dm,
    members: [],
  }));
}

/** Whose membership events the client was told beside the state that it asks for, by room. */
export async function selectToldMembers(
  db: Db,
  connectionId: number,
  acked: number,
  roomIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (roomIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('syncapi_connection_rooms')
    .select(['room_id', 'members'])
    .where('connection_id', '=', connectionId)
    .where('seq', '<=', acked)
    .where('room_id', '=', sql<string>`ANY(${[...roomIds]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.room_id, row.members]));
}

/** Notes what an answer tells; `oldest` is the first answer that the client may still come back with. */
export async function insertAnswer(
  trx: Trx,
  answer: { connectionId: number; seq: number; oldest: number; acked: number; configs: readonly string[] },
  rooms: readonly ToldRoom[],
): Promise<void> {
  const { connectionId, seq, oldest, acked, configs } = answer;
  await sql`
    INSERT INTO syncapi_connection_rooms
      (connection_id, room_id, seq, membership, is_gone, told_up_to, timeline_limit, config, bump, is_dm, members)
    SELECT ${connectionId}::bigint, n.room_id, ${seq}::bigint, n.membership, n.is_gone, n.told_up_to, n.timeline_limit,
      n.config, n.bump, n.is_dm, ARRAY(SELECT json_array_elements_text(n.members))
    FROM unnest(
      ${rooms.map((room) => room.roomId)}::text[], ${rooms.map((room) => room.membership)}::text[],
      ${rooms.map((room) => room.isGone)}::boolean[], ${rooms.map((room) => room.toldUpTo)}::bigint[],
      ${rooms.map((room) => room.timelineLimit)}::int[], ${rooms.map((room) => room.config)}::int[],
      ${rooms.map((room) => room.bump)}::bigint[], ${rooms.map((room) => room.isDm)}::boolean[],
      ${rooms.map((room) => JSON.stringify(room.members))}::json[]
    ) AS n (room_id, membership, is_gone, told_up_to, timeline_limit, config, bump, is_dm, members)
  `.execute(trx);
  await sql`
    DELETE FROM syncapi_connection_rooms
    WHERE connection_id = ${connectionId} AND seq > ${acked} AND seq < ${oldest}
  `.execute(trx);
  await sql`
    UPDATE syncapi_connections SET issued = ${seq}, configs = ${JSON.stringify(configs)}::jsonb, used_ts = ${Date.now()}
    WHERE connection_id = ${connectionId}
  `.execute(trx);
}
