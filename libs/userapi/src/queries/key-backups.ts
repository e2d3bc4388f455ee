import { sql } from 'kysely';

import type { KeyBackupVersion } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';

/** A user's key backup of that version; the newest when `version` is undefined. */
export async function keyBackup(
  db: UserapiDb,
  userId: string,
  version: string | undefined,
): Promise<KeyBackupVersion | undefined> {
  const result = await sql<{
    version: string;
    algorithm: string;
    auth_data: JsonObject;
    etag: string;
    count: number;
  }>`
    SELECT version::text AS version, algorithm, auth_data, etag::text AS etag, (
      SELECT count(*) FROM userapi_key_backups k WHERE k.user_id = b.user_id AND k.version = b.version
    ) AS count FROM userapi_key_backup_versions AS b
    WHERE user_id = ${userId} AND NOT is_deleted AND version::text = coalesce(${version ?? null}, version::text)
    ORDER BY b.version DESC LIMIT 1
  `.execute(db);
  const row = result.rows[0];
  if (row === undefined) return undefined;
  const { version: found, algorithm, auth_data: authData, count, etag } = row;
  return { version: found, algorithm, authData, count, etag };
}
