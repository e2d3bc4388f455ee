import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Since when users are what they are in a room: a new name makes a new membership event and changes nothing of that. */
export const membershipSince = sqlMigration(async (db) => {
  await sql`ALTER TABLE roomserver_memberships ADD COLUMN since bigint`.execute(db);
});
