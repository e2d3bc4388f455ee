import { sql } from 'kysely';

import { selectToken } from './registration-tokens.ts';
import type { UserapiDb, UserapiTransaction } from './tables.ts';

/** Removed at once, so that one registration never waits for the clearing up of many. */
const removedAtOnce = 100;

export async function insertHold(
  trx: UserapiTransaction,
  hold: { session: string; token_nid: number; expires_ts: number },
): Promise<void> {
  await trx
    .insertInto('userapi_registration_holds')
    .values(hold)
    .onConflict((conflict) => conflict.column('session').doUpdateSet(hold))
    .execute();
}

export async function deleteHold(db: UserapiDb, session: string): Promise<void> {
  await db.deleteFrom('userapi_registration_holds').where('session', '=', session).execute();
}

/** Holds whose time is up count no more; this only keeps the table small. */
export async function removeExpiredHolds(trx: UserapiTransaction, now: number): Promise<void> {
  await sql`
    DELETE FROM userapi_registration_holds WHERE session IN (
      SELECT session FROM userapi_registration_holds WHERE expires_ts <= ${now}
      ORDER BY expires_ts LIMIT ${removedAtOnce} FOR UPDATE SKIP LOCKED
    )
  `.execute(trx);
}

/** The token of which a session holds a use now; its row is locked to the end of the transaction. */
export async function lockHeldToken(
  trx: UserapiTransaction,
  session: string,
  now: number,
): Promise<{ token_nid: number; token: string } | undefined> {
  const result = await sql<{ token_nid: number; token: string }>`
    SELECT t.token_nid, t.token FROM userapi_registration_tokens t
    JOIN userapi_registration_holds h USING (token_nid)
    WHERE h.session = ${session} AND h.expires_ts > ${now} FOR UPDATE
  `.execute(trx);
  return result.rows[0];
}

/** Turns the use that a session holds into an account. False when it holds none (any more). */
export async function completeHold(
  trx: UserapiTransaction,
  { session, userId }: { session: string; userId: string },
): Promise<boolean> {
  const now = Date.now();
  const held = await lockHeldToken(trx, session, now);
  if (held === undefined) return false;
  await deleteHold(trx, session);
  await sql`UPDATE userapi_registration_tokens SET completed = completed + 1
    WHERE token_nid = ${held.token_nid}`.execute(trx);
  await trx
    .insertInto('userapi_registrations')
    .values({ ...held, user_id: userId, created_ts: now })
    .execute();
  return true;
}

export interface RegistrationRow {
  registration_nid: number;
  user_id: string;
  created_ts: number;
}

/** Accounts made with a token, after `from`, in the order in which they were made. */
export async function selectRegistrations(
  db: UserapiDb,
  token: string,
  { from, limit }: { from: number; limit: number },
): Promise<{ rows: RegistrationRow[]; total: number } | undefined> {
  const found = await selectToken(db, token);
  if (found === undefined) return undefined;
  const rows = await db
    .selectFrom('userapi_registrations')
    .select(['registration_nid', 'user_id', 'created_ts'])
    .where('token_nid', '=', found.token_nid)
    .where('registration_nid', '>', from)
    .orderBy('registration_nid')
    .limit(limit)
    .execute();
  return { rows, total: found.completed };
}
