import { sql } from 'kysely';
import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { invalidParam, notFound } from '@seneschal/matrix';

import { lockAccount } from '../storage/accounts.ts';
import { removeSessions } from '../storage/key-backups.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Create = z.infer<typeof userapi.createKeyBackupVersion.input>;
type Update = z.infer<typeof userapi.updateKeyBackupVersion.input>;
type Delete = z.infer<typeof userapi.deleteKeyBackupVersion.input>;

export interface KeyBackupDeps {
  db: UserapiDb;
}

/** Begins a new key backup; its version is the user's next number. */
export async function createKeyBackupVersion(
  deps: KeyBackupDeps,
  input: Create,
  context: Pick<CommandContext, 'remember'>,
): Promise<{ version: string }> {
  return transact(deps.db, async (trx) => {
    await lockAccount(trx, input.userId);
    const created = await sql<{ version: number }>`
      INSERT INTO userapi_key_backup_versions (user_id, version, algorithm, auth_data, created_ts)
      SELECT ${input.userId}, coalesce(max(version), 0) + 1, ${input.algorithm},
        ${JSON.stringify(input.authData)}::json, ${Date.now()}
      FROM userapi_key_backup_versions WHERE user_id = ${input.userId}
      RETURNING version
    `.execute(trx);
    const output = { version: String(created.rows[0]?.version ?? 1) };
    await context.remember(trx, output);
    return output;
  });
}

/** Replaces the auth data of a backup. M_INVALID_PARAM when the algorithm is another one; M_NOT_FOUND. */
export async function updateKeyBackupVersion(
  deps: KeyBackupDeps,
  input: Update,
): Promise<Record<string, never>> {
  await transact(deps.db, async (trx) => {
    const found = await trx
      .selectFrom('userapi_key_backup_versions')
      .select('algorithm')
      .where('user_id', '=', input.userId)
      .where(sql<string>`version::text`, '=', input.version)
      .where('is_deleted', '=', false)
      .forUpdate()
      .executeTakeFirst();
    if (found === undefined) throw notFound('There is no such key backup.');
    if (found.algorithm !== input.algorithm)
      throw invalidParam('The algorithm of a key backup stays the same.');
    await sql`UPDATE userapi_key_backup_versions SET auth_data = ${JSON.stringify(input.authData)}::json
      WHERE user_id = ${input.userId} AND version::text = ${input.version}`.execute(trx);
  });
  return {};
}

/** Deletes a backup with all that is in it; deleting it again is no error. M_NOT_FOUND when there never was one. */
export async function deleteKeyBackupVersion(
  deps: KeyBackupDeps,
  { userId, version }: Delete,
): Promise<Record<string, never>> {
  await transact(deps.db, async (trx) => {
    const deleted = await sql`UPDATE userapi_key_backup_versions SET is_deleted = true, auth_data = '{}'
      WHERE user_id = ${userId} AND version::text = ${version}`.execute(trx);
    if (deleted.numAffectedRows === 0n) throw notFound('There is no such key backup.');
    await removeSessions(trx, { userId, version });
  });
  return {};
}
