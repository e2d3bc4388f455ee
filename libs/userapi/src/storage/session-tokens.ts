import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

/** Of a token is kept what it hashes to. */
export interface Tokens {
  tokenHash: string;
  expiresTs: number;
  refreshHash: string;
  refreshExpiresTs?: number | undefined;
}

/** Expired refresh tokens that one refresh sweeps away at the most. */
const sweptAtOnce = 100;

/**
 * Forgets refresh tokens whose time is up. The devices stay, with their keys: whoever logs in again goes on with them.
 * Those that another transaction has locked are left to the next one.
 */
export async function sweepRefreshTokens(trx: UserapiTransaction): Promise<void> {
  for (const column of ['refresh', 'next_refresh']) {
    const [hash, expiry] = [sql.id(`${column}_hash`), sql.id(`${column}_expires_ts`)];
    await sql`UPDATE userapi_devices AS d SET ${hash} = NULL, ${expiry} = NULL
      FROM (
        SELECT user_id, device_id FROM userapi_devices WHERE ${expiry} <= ${Date.now()}
        ORDER BY ${expiry} LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED
      ) AS old WHERE d.user_id = old.user_id AND d.device_id = old.device_id`.execute(trx);
  }
}

/** The session of a refresh token, be it the one in use or the one that was given out last. */
export async function findRefreshable(
  trx: UserapiTransaction,
  refreshHash: string,
): Promise<{ userId: string; deviceId: string; isNext: boolean } | undefined> {
  const now = Date.now();
  const found = await sql<{ userId: string; deviceId: string; isNext: boolean }>`
    SELECT user_id AS "userId", device_id AS "deviceId", next_refresh_hash IS NOT DISTINCT FROM ${refreshHash} AS "isNext"
    FROM userapi_devices
    WHERE (refresh_hash = ${refreshHash} AND (refresh_expires_ts > ${now} OR refresh_expires_ts IS NULL))
      OR (next_refresh_hash = ${refreshHash} AND (next_refresh_expires_ts > ${now} OR next_refresh_expires_ts IS NULL))
  `.execute(trx);
  return found.rows[0];
}

const promoted = sql`token_hash = next_token_hash, expires_ts = next_expires_ts,
  refresh_hash = next_refresh_hash, refresh_expires_ts = next_refresh_expires_ts`;

/** Puts the tokens that were given out last in the place of those before, which are worth nothing from here on. */
export async function promoteTokens(
  db: Kysely<UserapiTables>,
  by: { next_token_hash: string } | { next_refresh_hash: string },
): Promise<void> {
  const condition: RawBuilder<unknown> =
    'next_token_hash' in by
      ? sql`next_token_hash = ${by.next_token_hash}`
      : sql`next_refresh_hash = ${by.next_refresh_hash}`;
  await sql`UPDATE userapi_devices SET ${promoted},
    next_token_hash = NULL, next_expires_ts = NULL, next_refresh_hash = NULL, next_refresh_expires_ts = NULL
    WHERE ${condition}`.execute(db);
}

/** Remembers tokens that are given out, in place of earlier ones that nobody has used. */
export async function storeNextTokens(
  trx: UserapiTransaction,
  { userId, deviceId }: { userId: string; deviceId: string },
  { tokenHash, expiresTs, refreshHash, refreshExpiresTs }: Tokens,
): Promise<void> {
  await sql`UPDATE userapi_devices SET next_token_hash = ${tokenHash}, next_expires_ts = ${expiresTs},
    next_refresh_hash = ${refreshHash}, next_refresh_expires_ts = ${refreshExpiresTs ?? null}
    WHERE user_id = ${userId} AND device_id = ${deviceId}`.execute(trx);
}

/** Takes a login token; false when it is not there (any more), has expired or is another user's. */
export async function takeLoginToken(
  trx: UserapiTransaction,
  tokenHash: string,
  userId: string,
): Promise<boolean> {
  const taken = await sql`DELETE FROM userapi_login_tokens WHERE token_hash = ${tokenHash}
    AND user_id = ${userId} AND expires_ts > ${Date.now()} RETURNING 1`.execute(trx);
  return taken.rows.length > 0;
}
