import { sql } from 'kysely';

import type { UserapiTransaction } from './tables.ts';

/** A one-time or fallback key as it is stored; `key` is canonical JSON. */
export interface StoredKey {
  algorithm: string;
  keyId: string;
  key: string;
}

interface DeviceRef {
  userId: string;
  deviceId: string;
}

/** Stores the identity keys of a device. False when they are the ones that it has. */
export async function upsertDeviceKeys(
  trx: UserapiTransaction,
  { userId, deviceId }: DeviceRef,
  keys: string,
): Promise<boolean> {
  const changed = await sql`
    INSERT INTO userapi_device_keys (user_id, device_id, keys) VALUES (${userId}, ${deviceId}, ${keys})
    ON CONFLICT (user_id, device_id) DO UPDATE SET keys = excluded.keys
    WHERE userapi_device_keys.keys <> excluded.keys
  `.execute(trx);
  return changed.numAffectedRows === 1n;
}

/** Adds one-time keys. Answers the ID of one that is there with another content, if any. */
export async function insertOneTimeKeys(
  trx: UserapiTransaction,
  { userId, deviceId }: DeviceRef,
  keys: readonly StoredKey[],
): Promise<string | undefined> {
  const rows = sql`unnest(
    ${keys.map((one) => one.algorithm)}::text[],
    ${keys.map((one) => one.keyId)}::text[],
    ${keys.map((one) => one.key)}::text[]
  ) AS n (algorithm, key_id, key)`;
  await sql`
    INSERT INTO userapi_one_time_keys (user_id, device_id, algorithm, key_id, key)
    SELECT ${userId}, ${deviceId}, n.algorithm, n.key_id, n.key FROM ${rows} ON CONFLICT DO NOTHING
  `.execute(trx);
  const different = await sql<{ key_id: string }>`
    SELECT k.algorithm || ':' || k.key_id AS key_id FROM ${rows} JOIN userapi_one_time_keys k
      ON k.user_id = ${userId} AND k.device_id = ${deviceId}
      AND k.algorithm = n.algorithm AND k.key_id = n.key_id
    WHERE k.key <> n.key LIMIT 1
  `.execute(trx);
  return different.rows[0]?.key_id;
}

/** Sets the fallback key of each algorithm; the same key again stays used if it was. */
export async function upsertFallbackKeys(
  trx: UserapiTransaction,
  { userId, deviceId }: DeviceRef,
  keys: readonly StoredKey[],
): Promise<void> {
  await sql`
    INSERT INTO userapi_fallback_keys AS f (user_id, device_id, algorithm, key_id, key)
    SELECT ${userId}, ${deviceId}, n.algorithm, n.key_id, n.key FROM unnest(
      ${keys.map((one) => one.algorithm)}::text[],
      ${keys.map((one) => one.keyId)}::text[],
      ${keys.map((one) => one.key)}::text[]
    ) AS n (algorithm, key_id, key)
    ON CONFLICT (user_id, device_id, algorithm)
    DO UPDATE SET key_id = excluded.key_id, key = excluded.key, is_used = false
    WHERE f.key_id <> excluded.key_id OR f.key <> excluded.key
  `.execute(trx);
}

export async function countOneTimeKeys(
  trx: UserapiTransaction,
  { userId, deviceId }: DeviceRef,
): Promise<Record<string, number>> {
  const counts = await sql<{ algorithm: string; count: number }>`
    SELECT algorithm, count(*) AS count FROM userapi_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} GROUP BY algorithm
  `.execute(trx);
  return Object.fromEntries(counts.rows.map((row) => [row.algorithm, row.count]));
}

export interface Claim extends DeviceRef {
  algorithm: string;
}
export type ClaimedKey = Claim & StoredKey;

interface ClaimedRow {
  user_id: string;
  device_id: string;
  algorithm: string;
  key_id: string;
  key: string;
}

/** Takes the oldest one-time key of each claim. A key that another transaction takes at the time is left to it. */
export async function takeOneTimeKeys(
  trx: UserapiTransaction,
  claims: readonly Claim[],
): Promise<ClaimedKey[]> {
  const taken = await sql<ClaimedRow>`
    WITH picked AS MATERIALIZED (
      SELECT k.* FROM unnest(
        ${claims.map((one) => one.userId)}::text[],
        ${claims.map((one) => one.deviceId)}::text[],
        ${claims.map((one) => one.algorithm)}::text[]
      ) AS c (user_id, device_id, algorithm) CROSS JOIN LATERAL (
        SELECT o.user_id, o.device_id, o.algorithm, o.key_id FROM userapi_one_time_keys o
        WHERE o.user_id = c.user_id AND o.device_id = c.device_id AND o.algorithm = c.algorithm
        ORDER BY o.ordering LIMIT 1 FOR UPDATE SKIP LOCKED
      ) AS k
    )
    DELETE FROM userapi_one_time_keys t USING picked p
    WHERE t.user_id = p.user_id AND t.device_id = p.device_id
      AND t.algorithm = p.algorithm AND t.key_id = p.key_id
    RETURNING t.user_id, t.device_id, t.algorithm, t.key_id, t.key
  `.execute(trx);
  return taken.rows.map(claimedOf);
}

/** The fallback keys of claims that found no one-time key; from here on they count as used. */
export async function takeFallbackKeys(
  trx: UserapiTransaction,
  claims: readonly Claim[],
): Promise<ClaimedKey[]> {
  const taken = await sql<ClaimedRow>`
    UPDATE userapi_fallback_keys f SET is_used = true FROM unnest(
      ${claims.map((one) => one.userId)}::text[],
      ${claims.map((one) => one.deviceId)}::text[],
      ${claims.map((one) => one.algorithm)}::text[]
    ) AS c (user_id, device_id, algorithm)
    WHERE f.user_id = c.user_id AND f.device_id = c.device_id AND f.algorithm = c.algorithm
    RETURNING f.user_id, f.device_id, f.algorithm, f.key_id, f.key
  `.execute(trx);
  return taken.rows.map(claimedOf);
}

function claimedOf(row: ClaimedRow): ClaimedKey {
  return {
    userId: row.user_id,
    deviceId: row.device_id,
    algorithm: row.algorithm,
    keyId: row.key_id,
    key: row.key,
  };
}
