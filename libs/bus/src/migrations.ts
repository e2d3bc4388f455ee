import { sql } from 'kysely';

import { sqlMigration, type Migrations } from '@seneschal/database';

export const busMigrations: Migrations = {
  '0001_replies_and_checkpoints': sqlMigration(async (db) => {
    await sql`CREATE TABLE bus_replies (
      command_id text NOT NULL,
      part text NOT NULL,
      reply jsonb NOT NULL,
      created_ts bigint NOT NULL,
      PRIMARY KEY (command_id, part)
    )`.execute(db);
    await sql`CREATE INDEX bus_replies_created ON bus_replies (created_ts)`.execute(db);
    await sql`CREATE TABLE bus_checkpoints (
      consumer text PRIMARY KEY,
      position bigint NOT NULL
    )`.execute(db);
  }),
  // Unlogged: whoever waits for a command when PostgreSQL crashes has to ask again in any case.
  '0002_payloads': sqlMigration(async (db) => {
    await sql`CREATE UNLOGGED TABLE bus_payloads (
      job_id text PRIMARY KEY,
      input text NOT NULL,
      created_ts bigint NOT NULL
    )`.execute(db);
  }),
};
