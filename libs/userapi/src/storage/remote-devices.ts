import { type Kysely, sql } from 'kysely';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

export interface StoredRemoteDevice {
  deviceId: string;
  /** Canonical JSON. */
  keys: string | null;
  displayName: string | null;
}

export interface StoredRemoteList {
  userId: string;
  serverName: string;
  streamId: number;
  masterKey: string | null;
  selfSigningKey: string | null;
}

export interface LockedRemoteList {
  streamId: number;
  isStale: boolean;
  masterKey: string | null;
  selfSigningKey: string | null;
}

/** Locks the list of a user, which is made where there is none: stale, as nothing is known of it. */
export async function lockRemoteList(
  trx: UserapiTransaction,
  userId: string,
  serverName: string,
): Promise<LockedRemoteList> {
  await sql`
    INSERT INTO userapi_remote_device_lists (user_id, server_name, stream_id, is_stale, fetched_ts)
    VALUES (${userId}, ${serverName}, 0, true, 0) ON CONFLICT DO NOTHING
  `.execute(trx);
  const locked = await sql<LockedRemoteList>`
    SELECT stream_id AS "streamId", is_stale AS "isStale", master_key AS "masterKey",
      self_signing_key AS "selfSigningKey"
    FROM userapi_remote_device_lists WHERE user_id = ${userId} FOR UPDATE
  `.execute(trx);
  return locked.rows[0] ?? { streamId: 0, isStale: true, masterKey: null, selfSigningKey: null };
}

export async function selectRemoteDevices(
  db: Kysely<UserapiTables>,
  userId: string,
): Promise<Map<string, StoredRemoteDevice>> {
  const rows = await db
    .selectFrom('userapi_remote_devices')
    .select(['device_id', 'keys', 'display_name'])
    .where('user_id', '=', userId)
    .execute();
  return new Map(
    rows.map((row) => [
      row.device_id,
      { deviceId: row.device_id, keys: row.keys, displayName: row.display_name },
    ]),
  );
}

/** Stores a list that was fetched, in place of the one before. It is stale still when a change was told of meanwhile. */
export async function storeRemoteList(
  trx: UserapiTransaction,
  list: StoredRemoteList & { startedTs: number },
  devices: readonly StoredRemoteDevice[],
): Promise<void> {
  await sql`
    UPDATE userapi_remote_device_lists SET stream_id = ${list.streamId}, is_stale = told_ts > ${list.startedTs},
      fetched_ts = ${Date.now()}, attempts = 0, retry_ts = 0, error = NULL,
      master_key = ${list.masterKey}, self_signing_key = ${list.selfSigningKey}
    WHERE user_id = ${list.userId}
  `.execute(trx);
  await sql`DELETE FROM userapi_remote_devices WHERE user_id = ${list.userId}`.execute(trx);
  await sql`
    INSERT INTO userapi_remote_devices (user_id, device_id, keys, display_name)
    SELECT ${list.userId}, n.device_id, n.keys, n.display_name FROM unnest(
      ${devices.map((one) => one.deviceId)}::text[],
      ${devices.map((one) => one.keys)}::text[],
      ${devices.map((one) => one.displayName)}::text[]
    ) AS n (device_id, keys, display_name)
  `.execute(trx);
}

/** Devices that are held of a user of another server. */
const mostDevices = 2000;

/** Takes one device over into a list, in place of what was held of it. */
export async function applyRemoteDevice(
  trx: UserapiTransaction,
  userId: string,
  streamId: number,
  device: StoredRemoteDevice & { isDeleted: boolean },
): Promise<void> {
  const { deviceId, keys, displayName, isDeleted } = device;
  await (
    isDeleted
      ? sql`DELETE FROM userapi_remote_devices WHERE user_id = ${userId} AND device_id = ${deviceId}`
      : sql`INSERT INTO userapi_remote_devices (user_id, device_id, keys, display_name)
        SELECT ${userId}, ${deviceId}, ${keys}::text, ${displayName}::text WHERE ${mostDevices} > (
          SELECT count(*) FROM userapi_remote_devices WHERE user_id = ${userId} AND device_id <> ${deviceId}
        )
        ON CONFLICT (user_id, device_id) DO UPDATE SET keys = excluded.keys, display_name = excluded.display_name`
  ).execute(trx);
  await sql`UPDATE userapi_remote_device_lists SET stream_id = ${streamId}, told_ts = ${Date.now()}
    WHERE user_id = ${userId}`.execute(trx);
}

/** Has a list fetched as soon as can be: its server is there, as it told of a change. */
export async function markDue(trx: UserapiTransaction, userId: string): Promise<void> {
  await sql`UPDATE userapi_remote_device_lists SET is_stale = true, retry_ts = 0, told_ts = ${Date.now()}
    WHERE user_id = ${userId}`.execute(trx);
}

export async function forgetRemoteLists(trx: UserapiTransaction, userIds: readonly string[]): Promise<void> {
  for (const table of ['userapi_remote_device_lists', 'userapi_remote_devices']) {
    await sql`DELETE FROM ${sql.id(table)} WHERE user_id = ANY(${[...userIds]}::text[])`.execute(trx);
  }
}

/** Counts a failed attempt. The pause before the next one doubles from a minute to half a day. */
export async function markStale(
  trx: UserapiTransaction,
  userId: string,
  reason: string,
  now: number,
): Promise<number> {
  const result = await sql<{ retry_ts: number }>`
    UPDATE userapi_remote_device_lists SET is_stale = true, error = ${reason}, attempts = attempts + 1,
      retry_ts = ${now}::bigint + least(60000 * 2 ^ least(attempts, 20), 43200000)::bigint
    WHERE user_id = ${userId} RETURNING retry_ts
  `.execute(trx);
  return result.rows[0]?.retry_ts ?? now;
}

/** Takes due lists, one of each server; see `userapi.claimDueDeviceLists`. */
export async function claimDue(
  db: Kysely<UserapiTables>,
  { now, limit, exceptServers }: { now: number; limit: number; exceptServers: readonly string[] },
): Promise<string[]> {
  const result = await sql<{ user_id: string }>`
    UPDATE userapi_remote_device_lists SET retry_ts = ${now}::bigint + 120000
    WHERE user_id IN (
      SELECT l.user_id FROM userapi_remote_device_lists l JOIN (
        SELECT DISTINCT ON (server_name) user_id, retry_ts FROM userapi_remote_device_lists
        WHERE is_stale AND retry_ts <= ${now} AND server_name <> ALL(${[...exceptServers]}::text[])
        ORDER BY server_name, retry_ts
      ) AS due USING (user_id)
      WHERE l.is_stale AND l.retry_ts <= ${now}
      ORDER BY due.retry_ts LIMIT ${limit} FOR UPDATE OF l SKIP LOCKED
    ) RETURNING user_id
  `.execute(db);
  return result.rows.map((row) => row.user_id);
}
