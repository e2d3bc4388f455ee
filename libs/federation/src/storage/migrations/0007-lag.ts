import { sql } from 'kysely';

import { createLogTable, sqlMigration } from '@seneschal/database';

/** Since when events wait, and which servers are behind; what is told of it is in a log. */
export const lag = sqlMigration(async (db) => {
  await sql`ALTER TABLE federation_outgoing
    ADD queued_ts bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint`.execute(db);
  await sql`ALTER TABLE federation_destinations ADD lagging_since_ts bigint`.execute(db);
  await createLogTable(db, 'federation_output');
});
