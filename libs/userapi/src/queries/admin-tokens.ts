import { sql } from 'kysely';

import { accountTypes, type AdminToken, type Requester } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

/**
 * Who a machine's token acts for, and what it may. Undefined when it is unknown or expired, or when the one
 * who made it is no administrator any more, or locked: then it is worth nothing.
 */
export async function requesterByAdminToken(
  db: UserapiDb,
  tokenHash: string,
): Promise<Requester | undefined> {
  const found = await sql<Omit<Required<Requester>, 'adminToken'> & Required<Requester>['adminToken']>`
    SELECT a.user_id AS "userId", a.account_type AS "accountType", t.id, t.name, t.scopes, t.addresses
    FROM userapi_admin_tokens t JOIN userapi_accounts a ON a.user_id = t.created_by
    WHERE t.token_hash = ${tokenHash} AND (t.expires_ts IS NULL OR t.expires_ts > ${Date.now()})
      AND a.account_type = ${accountTypes.admin} AND NOT a.is_deactivated AND NOT a.is_locked
  `.execute(db);
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const { userId, accountType, id, name, scopes, addresses } = row;
  return { userId, deviceId: '', accountType, adminToken: { id, name, scopes, addresses } };
}

/** All tokens of machines, the newest first; there are never many. */
export async function adminTokens(db: UserapiDb): Promise<AdminToken[]> {
  const found = await sql<AdminToken>`
    SELECT id, name, scopes, addresses, created_by AS "createdBy", created_ts AS "createdTs",
      expires_ts AS "expiresTs", last_used_ts AS "lastUsedTs"
    FROM userapi_admin_tokens ORDER BY created_ts DESC, id
  `.execute(db);
  return found.rows;
}
