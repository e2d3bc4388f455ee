import { sql } from 'kysely';

import type { UserapiTransaction } from './tables.ts';

/** Tables of what a user has stored beside devices; all of it is for an account that somebody uses. */
const tablesOfAccount = [
  'userapi_account_data',
  'userapi_receipts',
  'userapi_cross_signing_keys',
  'userapi_key_signatures',
  'userapi_key_backups',
  'userapi_key_backup_versions',
] as const;

/** Takes away what a user has stored, and the signatures that the user made on keys of others. */
export async function removeAccountRows(trx: UserapiTransaction, userId: string): Promise<void> {
  for (const table of tablesOfAccount) {
    await sql`DELETE FROM ${sql.id(table)} WHERE user_id = ${userId}`.execute(trx);
  }
  await sql`DELETE FROM userapi_key_signatures WHERE signer = ${userId}`.execute(trx);
}
