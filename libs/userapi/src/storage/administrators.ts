import { sql } from 'kysely';

import { accountTypes } from '@seneschal/contracts';
import { forbidden } from '@seneschal/matrix';

import type { UserapiTransaction } from './tables.ts';

/**
 * All administrators, locked in one order: those who change them take turns, so two who demote or deactivate
 * each other at once do not leave none. A row that was changed while this waited for it is looked at again.
 * Lock them before any single account.
 */
export async function lockAdministrators(trx: UserapiTransaction): Promise<string[]> {
  // The value stands in the text of the statement, so that the index of the few administrators serves it.
  const rows = await sql<{ user_id: string }>`
    SELECT user_id FROM userapi_accounts
    WHERE account_type = ${sql.lit(accountTypes.admin)} AND NOT is_deactivated
    ORDER BY user_id FOR UPDATE
  `.execute(trx);
  return rows.rows.map((row) => row.user_id);
}

/** Throws M_FORBIDDEN when without this user there would be no administrator left. */
export function requireAnother(administrators: readonly string[], userId: string): void {
  if (administrators.length === 1 && administrators[0] === userId) {
    throw forbidden('This is the last administrator. Promote another user first.');
  }
}
