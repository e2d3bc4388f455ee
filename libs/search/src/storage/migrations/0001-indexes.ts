import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

export const indexes = sqlMigration(async (db) => {
  await sql`CREATE TABLE search_indexes (
    generation bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    engine text NOT NULL,
    language text NOT NULL,
    state text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    created_ts bigint NOT NULL
  )`.execute(db);
  // At most one of each.
  await sql`CREATE UNIQUE INDEX search_indexes_state ON search_indexes (state) WHERE state <> 'retired'`.execute(
    db,
  );
  await sql`CREATE TABLE search_edits (
    edit_id text PRIMARY KEY,
    target_id text NOT NULL,
    room_id text NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX search_edits_target ON search_edits (target_id)`.execute(db);
  await sql`CREATE INDEX search_edits_room ON search_edits (room_id)`.execute(db);
  await sql`CREATE TABLE search_redo (
    generation bigint NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    PRIMARY KEY (generation, kind, id)
  )`.execute(db);
});
