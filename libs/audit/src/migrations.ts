import { sql } from 'kysely';

import { type Migrations, sqlMigration } from '@seneschal/database';

export const auditMigrations: Migrations = {
  '0001_audit': sqlMigration(async (db) => {
    await sql`CREATE TABLE audit_log (
      position bigint PRIMARY KEY,
      ts bigint NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      targets text[] NOT NULL,
      status integer,
      entry text NOT NULL,
      hash bytea NOT NULL
    )`.execute(db);
    await sql`CREATE INDEX audit_log_ts ON audit_log (ts)`.execute(db);
    await sql`CREATE INDEX audit_log_actor ON audit_log (actor, position)`.execute(db);
    await sql`CREATE INDEX audit_log_action ON audit_log (action, position)`.execute(db);
    await sql`CREATE INDEX audit_log_targets ON audit_log USING gin (targets)`.execute(db);
    await sql`CREATE TABLE audit_head (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      position bigint NOT NULL,
      hash bytea NOT NULL
    )`.execute(db);
    await sql`INSERT INTO audit_head (position, hash) VALUES (0, sha256('seneschal audit log'))`.execute(db);
    await sql`CREATE TABLE audit_pending (
      id uuid PRIMARY KEY,
      ts bigint NOT NULL,
      entry text NOT NULL
    )`.execute(db);
    await sql`CREATE INDEX audit_pending_ts ON audit_pending (ts)`.execute(db);
    await sql`CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'The audit log is only ever added to.'; END $$`.execute(db);
    await sql`CREATE TRIGGER audit_log_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
      FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()`.execute(db);
  }),
};
