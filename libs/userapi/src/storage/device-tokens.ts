import { sql } from 'kysely';

import type { UserapiTransaction } from './tables.ts';

/** Tables of tokens that a device asked for, and that hold until a time. Of a token is kept what it hashes to. */
export type DeviceTokenTable = 'userapi_login_tokens' | 'userapi_openid_tokens';

export interface DeviceToken {
  userId: string;
  deviceId: string;
  tokenHash: string;
  expiresTs: number;
}

/** Expired tokens that one new token sweeps away at the most: more than are made, so none are left for long. */
const sweptAtOnce = 100;

/** Keeps a token, and takes expired ones away; those that another transaction is taking away are left to it. */
export async function insertDeviceToken(
  trx: UserapiTransaction,
  table: DeviceTokenTable,
  token: DeviceToken,
): Promise<void> {
  await sql`DELETE FROM ${sql.id(table)} WHERE token_hash IN (
    SELECT token_hash FROM ${sql.id(table)} WHERE expires_ts <= ${Date.now()}
    ORDER BY expires_ts LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED
  )`.execute(trx);
  await sql`INSERT INTO ${sql.id(table)} (token_hash, user_id, device_id, expires_ts)
    VALUES (${token.tokenHash}, ${token.userId}, ${token.deviceId}, ${token.expiresTs})
    ON CONFLICT DO NOTHING`.execute(trx);
}
