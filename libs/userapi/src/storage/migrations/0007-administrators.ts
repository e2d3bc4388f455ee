import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** The few administrators among many accounts: whoever ends one of them locks them all. */
export const administrators = sqlMigration((db) =>
  sql`CREATE INDEX userapi_accounts_administrators ON userapi_accounts (user_id)
    WHERE account_type = 3 AND NOT is_deactivated`.execute(db),
);
