import { sql } from 'kysely';

import type { RegistrationToken } from '@seneschal/contracts';

import type { UserapiDb, UserapiTransaction } from './tables.ts';

export interface TokenRow {
  token_nid: number;
  token: string;
  uses_allowed: number | null;
  pending: number;
  completed: number;
  expiry_ts: number | null;
}

/** `pending` is counted and never kept: a hold whose time is up is given back by the clock alone. */
export function tokenColumns(now: number): ReturnType<typeof sql> {
  return sql`t.token_nid, t.token, t.uses_allowed, t.completed, t.expiry_ts, (
    SELECT count(*) FROM userapi_registration_holds h WHERE h.token_nid = t.token_nid AND h.expires_ts > ${now}
  ) AS pending`;
}

export function toToken(row: TokenRow): RegistrationToken {
  return {
    token: row.token,
    usesAllowed: row.uses_allowed,
    pending: row.pending,
    completed: row.completed,
    expiryTime: row.expiry_ts,
  };
}

/** Whether the token would let somebody in now. */
export function isValid(row: TokenRow, now: number): boolean {
  const hasUses = row.uses_allowed === null || row.pending + row.completed < row.uses_allowed;
  return hasUses && (row.expiry_ts === null || row.expiry_ts > now);
}

export async function selectToken(db: UserapiDb, token: string): Promise<TokenRow | undefined> {
  const result = await sql<TokenRow>`
    SELECT ${tokenColumns(Date.now())} FROM userapi_registration_tokens t WHERE t.token = ${token}
  `.execute(db);
  return result.rows[0];
}

/**
 * Locks a token to the end of the transaction, so that its uses are taken one after the other; then counts.
 * In two statements: the second sees what was committed while the first waited for the lock.
 */
export async function lockToken(trx: UserapiTransaction, token: string): Promise<TokenRow | undefined> {
  await sql`SELECT FROM userapi_registration_tokens WHERE token = ${token} FOR UPDATE`.execute(trx);
  return selectToken(trx, token);
}

/** False when the token exists. */
export async function insertToken(
  db: UserapiDb,
  row: {
    token: string;
    uses_allowed: number | null;
    expiry_ts: number | null;
    created_by: string;
    created_ts: number;
  },
): Promise<boolean> {
  const inserted = await db
    .insertInto('userapi_registration_tokens')
    .values(row)
    .onConflict((conflict) => conflict.column('token').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** Removes a token with the uses that are held of it. False when there is no such token. */
export async function deleteToken(trx: UserapiTransaction, token: string): Promise<boolean> {
  const gone = await trx
    .deleteFrom('userapi_registration_tokens')
    .where('token', '=', token)
    .returning('token_nid')
    .executeTakeFirst();
  if (gone === undefined) return false;
  await trx.deleteFrom('userapi_registration_holds').where('token_nid', '=', gone.token_nid).execute();
  return true;
}
