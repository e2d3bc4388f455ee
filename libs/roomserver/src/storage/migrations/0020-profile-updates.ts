import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Users whose rooms do not all show their profile yet. */
export const profileUpdates = sqlMigration(async (db) => {
  await sql`CREATE TABLE roomserver_profile_updates (
    user_id text PRIMARY KEY,
    -- Of the fact in userapi_output that the update is for: a later change begins it anew.
    position bigint NOT NULL,
    -- Rooms are gone through by their numbers; this one was the last.
    done_up_to bigint NOT NULL,
    -- Not before this time: while a process works on it, and after a failure.
    due_ts bigint NOT NULL,
    attempts int NOT NULL
  )`.execute(db);
});
