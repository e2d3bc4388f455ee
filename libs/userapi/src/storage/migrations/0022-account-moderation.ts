import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Accounts that may not be used, or only for reading; both can be taken back. */
export const accountModeration = sqlMigration(async (db) => {
  await sql`ALTER TABLE userapi_accounts
    ADD COLUMN is_locked boolean NOT NULL DEFAULT false,
    ADD COLUMN is_suspended boolean NOT NULL DEFAULT false`.execute(db);
});
