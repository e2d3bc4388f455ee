import { sql } from 'kysely';

import type { RegistrationToken, RegistrationTokensForAdmin } from '@seneschal/contracts';

import {
  isValid,
  selectToken,
  tokenColumns,
  type TokenRow,
  toToken,
} from '../storage/registration-tokens.ts';
import { selectRegistrations } from '../storage/registration-uses.ts';
import type { UserapiDb } from '../storage/tables.ts';

type ListPage = Parameters<RegistrationTokensForAdmin['registrationTokens']>[0];
type List = Awaited<ReturnType<RegistrationTokensForAdmin['registrationTokens']>>;
type UsersPage = Parameters<RegistrationTokensForAdmin['usersOfRegistrationToken']>[1];
type Users = Awaited<ReturnType<RegistrationTokensForAdmin['usersOfRegistrationToken']>>;

/** Tokens in order of their characters; all of them without a limit. */
export async function registrationTokens(db: UserapiDb, page: ListPage): Promise<List> {
  const now = Date.now();
  const valid = page.valid ?? null;
  // One more than asked for tells whether there is a next page.
  const limit = page.limit === undefined ? null : page.limit + 1;
  const result = await sql<TokenRow>`
    SELECT * FROM (
      SELECT ${tokenColumns(now)} FROM userapi_registration_tokens t WHERE t.token > ${page.from ?? ''}
    ) AS counted
    WHERE ${valid}::boolean IS NULL OR ${valid}::boolean = (
      (uses_allowed IS NULL OR pending + completed < uses_allowed) AND (expiry_ts IS NULL OR expiry_ts > ${now})
    )
    ORDER BY token LIMIT ${limit}::bigint
  `.execute(db);
  const tokens = result.rows.slice(0, page.limit).map(toToken);
  const last = tokens.at(-1);
  return {
    tokens,
    ...(result.rows.length > tokens.length && last !== undefined ? { next: last.token } : {}),
  };
}

export async function registrationToken(
  db: UserapiDb,
  token: string,
): Promise<RegistrationToken | undefined> {
  const row = await selectToken(db, token);
  return row === undefined ? undefined : toToken(row);
}

export async function isRegistrationTokenValid(db: UserapiDb, token: string): Promise<boolean> {
  const row = await selectToken(db, token);
  return row !== undefined && isValid(row, Date.now());
}

export async function usersOfRegistrationToken(
  db: UserapiDb,
  token: string,
  { from, limit }: UsersPage,
): Promise<Users> {
  const found = await selectRegistrations(db, token, { from: Number(from ?? 0), limit: limit + 1 });
  if (found === undefined) return undefined;
  const rows = found.rows.slice(0, limit);
  const last = rows.at(-1);
  return {
    users: rows.map((row) => ({ userId: row.user_id, registeredTs: row.created_ts })),
    total: found.total,
    ...(found.rows.length > limit && last !== undefined ? { next: String(last.registration_nid) } : {}),
  };
}
