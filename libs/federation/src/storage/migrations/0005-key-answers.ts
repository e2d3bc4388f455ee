import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What servers last answered when they were asked for their keys, to be passed on with our signature. */
export const keyAnswers = sqlMigration(async (db) => {
  await sql`CREATE TABLE federation_key_answers (
    server_name text PRIMARY KEY,
    valid_until_ts bigint NOT NULL,
    json text NOT NULL
  )`.execute(db);
});
