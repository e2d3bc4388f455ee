import { sql } from 'kysely';

import type { Requester } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

interface Row extends Pick<Requester, 'userId' | 'deviceId' | 'accountType'> {
  isLocked: boolean;
  isSuspended: boolean;
  expiresTs: number | null;
  isNew: boolean;
}

/** Who a token belongs to. Runs at every request: one statement over unique indexes. */
export async function requesterByToken(db: UserapiDb, tokenHash: string): Promise<Requester | undefined> {
  const found = await sql<Row>`
    SELECT a.user_id AS "userId", d.device_id AS "deviceId", a.account_type AS "accountType",
      a.is_locked AS "isLocked", a.is_suspended AS "isSuspended", d.expires_ts AS "expiresTs", d.is_new AS "isNew"
    FROM (
      SELECT user_id, device_id, expires_ts, false AS is_new FROM userapi_devices WHERE token_hash = ${tokenHash}
      UNION ALL
      SELECT user_id, device_id, next_expires_ts, true FROM userapi_devices WHERE next_token_hash = ${tokenHash}
    ) AS d JOIN userapi_accounts a ON a.user_id = d.user_id
    WHERE NOT a.is_deactivated LIMIT 1
  `.execute(db);
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const { userId, deviceId, accountType, isLocked, isSuspended, expiresTs, isNew } = row;
  const isExpired = expiresTs !== null && expiresTs <= Date.now();
  return {
    userId,
    deviceId,
    accountType,
    ...(isLocked ? { isLocked } : {}),
    ...(isSuspended ? { isSuspended } : {}),
    ...(isExpired ? { token: 'expired' } : isNew ? { token: 'new' } : {}),
  };
}
