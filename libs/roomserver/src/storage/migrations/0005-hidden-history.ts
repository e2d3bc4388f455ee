import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Which rooms have to be looked at event by event to know what a member may see; the others are most. */
export const hiddenHistory = sqlMigration(async (db) => {
  await sql`ALTER TABLE roomserver_rooms ADD COLUMN may_hide_history boolean NOT NULL DEFAULT false`.execute(
    db,
  );
  // Of rooms that are there already nobody has read the values: they are read whenever it matters.
  await sql`UPDATE roomserver_rooms SET may_hide_history = true`.execute(db);
});
