import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** EDUs on their way to other servers. */
export const edus = sqlMigration(async (db) => {
  // The text of an EDU, once for all servers it goes to.
  await sql`CREATE TABLE federation_edus (
    edu_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    -- Whom it is about, where newer ones of the same type make older ones needless; null where each one counts.
    subject text,
    json text NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX federation_edus_subject ON federation_edus (type, subject)
    WHERE subject IS NOT NULL`.execute(db);
  await sql`CREATE TABLE federation_edu_queue (
    server_name text NOT NULL,
    edu_id bigint NOT NULL,
    PRIMARY KEY (server_name, edu_id)
  )`.execute(db);
  await sql`CREATE INDEX federation_edu_queue_edu ON federation_edu_queue (edu_id)`.execute(db);
  // What is out of date in a moment: one row of each subject, written without the log, empty after a crash.
  await sql`CREATE UNLOGGED TABLE federation_ephemeral (
    server_name text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    json text NOT NULL,
    created_ts bigint NOT NULL,
    PRIMARY KEY (server_name, type, subject)
  )`.execute(db);
});
