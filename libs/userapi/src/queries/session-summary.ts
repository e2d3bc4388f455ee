import { sql } from 'kysely';

import type { SessionSummary } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

/** What ending all sessions of a user would take away; all zero for an unknown one. */
export async function sessionSummary(db: UserapiDb, userId: string): Promise<SessionSummary> {
  const result = await sql<SessionSummary>`
    SELECT
      (SELECT count(*) FROM userapi_devices WHERE user_id = ${userId}) AS devices,
      (SELECT count(*) FROM userapi_pushers WHERE user_id = ${userId}) AS pushers,
      (SELECT count(*) FROM userapi_device_keys WHERE user_id = ${userId}) AS "devicesWithKeys",
      EXISTS (
        SELECT FROM userapi_key_backup_versions WHERE user_id = ${userId} AND NOT is_deleted
      ) AS "hasKeyBackup"
  `.execute(db);
  return result.rows[0] ?? { devices: 0, pushers: 0, devicesWithKeys: 0, hasKeyBackup: false };
}
