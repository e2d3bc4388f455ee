import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

export const filters = sqlMigration(async (db) => {
  await sql`CREATE TABLE syncapi_filters (
    filter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    digest bytea NOT NULL,
    filter text NOT NULL,
    created_ts bigint NOT NULL,
    UNIQUE (user_id, digest)
  )`.execute(db);
});
