import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Users whose events are shown without their content to whoever came later. */
export const erasedUsers = sqlMigration(async (db) => {
  await sql`CREATE TABLE roomserver_erased_users (
    user_id text PRIMARY KEY,
    -- In the stream of the room server: who was in a room then goes on to see what they saw.
    position bigint NOT NULL
  )`.execute(db);
});
