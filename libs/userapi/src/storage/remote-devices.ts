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

/** Locks the list of a user, which is made where there is none. Answers its cross-signing keys as one text. */
export async function lockRemoteList(
  trx: UserapiTransaction,
  userId: string,
  serverName: string,
): Promise<{ masterKey: string | null; selfSigningKey: string | null }> {
  await sql`
    INSERT INTO userapi_remote_device_lists (user_id, server_name, stream_id, is_stale, fetched_ts)
    VALUES (${userId}, ${serverName}, 0, true, 0) ON CONFLICT DO NOTHING
  `.execute(trx);
  const locked = await sql<{ master_key: string | null; self_signing_key: string | null }>`
    SELECT master_key, self_signing_key FROM userapi_remote_device_lists WHERE user_id = ${userId} FOR UPDATE
  `.execute(trx);
  const [row] = locked.rows;
  return { masterKey: row?.master_key ?? null, selfSigningKey: row?.self_signing_key ?? null };
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

/** Stores a list that was fetched, in place of the one before. */
export async function storeRemoteList(
  trx: UserapiTransaction,
  list: StoredRemoteList,
  devices: readonly StoredRemoteDevice[],
): Promise<void> {
  await sql`
    UPDATE userapi_remote_device_lists SET stream_id = ${list.streamId}, is_stale = false,
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
export async function claimDue(db: Kysely<UserapiTables>, now: number, limit: number): Promise<string[]> {
  const result = await sql<{ user_id: string }>`
    UPDATE userapi_remote_device_lists SET retry_ts = ${now}::bigint + 120000
    WHERE user_id IN (
      SELECT l.user_id FROM userapi_remote_device_lists l JOIN (
        SELECT DISTINCT ON (server_name) user_id, retry_ts FROM userapi_remote_device_lists
        WHERE is_stale AND retry_ts <= ${now} ORDER BY server_name, retry_ts
      ) AS due USING (user_id)
      WHERE l.is_stale AND l.retry_ts <= ${now}
      ORDER BY due.retry_ts LIMIT ${limit} FOR UPDATE OF l SKIP LOCKED
    ) RETURNING user_id
  `.execute(db);
  return result.rows.map((row) => row.user_id);
}
