import { sql } from 'kysely';

import { type Migrations, sqlMigration } from '@seneschal/database';

export const jobsMigrations: Migrations = {
  '0001_jobs': sqlMigration(async (db) => {
    // Room in the pages, so that the many updates of a row under way touch no index.
    await sql`CREATE TABLE jobs (
      job_id text PRIMARY KEY,
      component text NOT NULL,
      kind text NOT NULL,
      target text NOT NULL,
      weight text NOT NULL,
      keeps text NOT NULL,
      input jsonb NOT NULL,
      state text NOT NULL,
      phase text NOT NULL,
      cursor jsonb,
      done bigint NOT NULL DEFAULT 0,
      total bigint,
      failed_items bigint NOT NULL DEFAULT 0,
      skipped_items bigint NOT NULL DEFAULT 0,
      result jsonb NOT NULL DEFAULT '{}',
      requested_by text NOT NULL,
      idempotency_key text,
      parent_id text,
      epoch bigint NOT NULL DEFAULT 1,
      version bigint NOT NULL DEFAULT 1,
      attempts int NOT NULL DEFAULT 0,
      is_retry boolean NOT NULL DEFAULT false,
      last_error jsonb,
      busy_ms bigint NOT NULL DEFAULT 0,
      not_before bigint NOT NULL DEFAULT 0,
      lease_until bigint NOT NULL DEFAULT 0,
      created_ts bigint NOT NULL,
      started_ts bigint,
      updated_ts bigint NOT NULL,
      finished_ts bigint
    ) WITH (fillfactor = 70)`.execute(db);
    await sql`CREATE UNIQUE INDEX jobs_under_way ON jobs (kind, target) WHERE finished_ts IS NULL`.execute(
      db,
    );
    await sql`CREATE UNIQUE INDEX jobs_idempotency ON jobs (kind, requested_by, idempotency_key)
      WHERE idempotency_key IS NOT NULL`.execute(db);
    await sql`CREATE INDEX jobs_to_run ON jobs (component, weight, created_ts) WHERE finished_ts IS NULL`.execute(
      db,
    );
    await sql`CREATE INDEX jobs_newest ON jobs (created_ts, job_id)`.execute(db);
    await sql`CREATE INDEX jobs_finished ON jobs (finished_ts) WHERE finished_ts IS NOT NULL`.execute(db);
    await sql`CREATE INDEX jobs_children ON jobs (parent_id) WHERE parent_id IS NOT NULL`.execute(db);
    await sql`CREATE TABLE job_items (
      job_id text NOT NULL,
      phase text NOT NULL,
      item text NOT NULL,
      state text NOT NULL,
      reason text,
      position bigint GENERATED ALWAYS AS IDENTITY,
      PRIMARY KEY (job_id, phase, item)
    )`.execute(db);
    await sql`CREATE INDEX job_items_in_order ON job_items (job_id, position)`.execute(db);
    await sql`CREATE TABLE job_events (
      job_id text NOT NULL,
      version bigint NOT NULL,
      event text NOT NULL,
      detail jsonb NOT NULL,
      ts bigint NOT NULL,
      PRIMARY KEY (job_id, version)
    )`.execute(db);
  }),
  '0002_trace': sqlMigration((db) => sql`ALTER TABLE jobs ADD trace_id text`.execute(db)),
  '0003_trace_parent': sqlMigration((db) => sql`ALTER TABLE jobs ADD trace_parent text`.execute(db)),
};
