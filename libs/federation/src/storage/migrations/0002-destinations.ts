import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What is on its way to other servers. */
export const destinations = sqlMigration(async (db) => {
  await sql`CREATE TABLE federation_destinations (
    server_name text PRIMARY KEY,
    -- Attempts that failed since the last that did not.
    failures int NOT NULL DEFAULT 0,
    next_try_ts bigint NOT NULL DEFAULT 0,
    last_success_ts bigint,
    last_failure_ts bigint,
    last_error text,
    -- Until then one process sends to the server; a process that died gives it up with the time.
    claimed_until_ts bigint NOT NULL DEFAULT 0
  )`.execute(db);
  // The text of an event, once for all servers it goes to: it is sent also when its room was purged meanwhile.
  await sql`CREATE TABLE federation_outgoing (
    position bigint PRIMARY KEY,
    room_id text NOT NULL,
    json text NOT NULL
  )`.execute(db);
  await sql`CREATE TABLE federation_queue (
    server_name text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (server_name, position)
  )`.execute(db);
  await sql`CREATE INDEX federation_queue_position ON federation_queue (position)`.execute(db);
});
