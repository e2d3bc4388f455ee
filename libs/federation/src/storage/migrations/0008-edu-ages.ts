import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Since when EDUs wait: what waits for a server that is gone for good is dropped in the end. */
export const eduAges = sqlMigration(async (db) => {
  await sql`ALTER TABLE federation_edus
    ADD queued_ts bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint`.execute(db);
});
