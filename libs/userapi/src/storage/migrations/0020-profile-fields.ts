import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Fields of profiles that no room shows. `json` and not `jsonb`: they are given back as they came. */
export const profileFields = sqlMigration(async (db) => {
  await sql`ALTER TABLE userapi_profiles ADD COLUMN fields json NOT NULL DEFAULT '{}'`.execute(db);
});
