import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Keys are kept as canonical JSON text: two of them are the same when their texts are. */
export const keys = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_device_keys (
    user_id text NOT NULL,
    device_id text NOT NULL,
    keys text NOT NULL,
    PRIMARY KEY (user_id, device_id)
  )`.execute(db);
  await sql`CREATE TABLE userapi_one_time_keys (
    user_id text NOT NULL,
    device_id text NOT NULL,
    algorithm text NOT NULL,
    key_id text NOT NULL,
    key text NOT NULL,
    -- Keys are given out in the order in which they came.
    ordering bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (user_id, device_id, algorithm, key_id)
  )`.execute(db);
  await sql`CREATE TABLE userapi_fallback_keys (
    user_id text NOT NULL,
    device_id text NOT NULL,
    algorithm text NOT NULL,
    key_id text NOT NULL,
    key text NOT NULL,
    is_used boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, device_id, algorithm)
  )`.execute(db);
  await sql`CREATE TABLE userapi_key_backup_versions (
    user_id text NOT NULL,
    version bigint NOT NULL,
    algorithm text NOT NULL,
    auth_data json NOT NULL,
    created_ts bigint NOT NULL,
    -- The row stays, so that its number is never given out again.
    is_deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, version)
  )`.execute(db);
});
