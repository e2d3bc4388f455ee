import { sql } from 'kysely';

import { createLogTable, sqlMigration } from '@seneschal/database';

/**
 * `userapi_accounts` has the columns that operators know from other homeservers; the user ID that all
 * other tables name is computed from them. `json` and not `jsonb` keeps what clients stored as they sent it.
 */
export const accounts = sqlMigration(async (db) => {
  await createLogTable(db, 'userapi_output');
  // Sync asks at every request whose device lists have changed; account data must not be in its way.
  await sql`CREATE INDEX userapi_output_device_lists ON userapi_output (position)
    WHERE fact->>'kind' = 'device_list_changed'`.execute(db);
  await sql`CREATE TABLE userapi_accounts (
    localpart text NOT NULL,
    server_name text NOT NULL,
    created_ts bigint NOT NULL,
    password_hash text,
    appservice_id text,
    is_deactivated boolean NOT NULL DEFAULT false,
    account_type smallint NOT NULL DEFAULT 1 CHECK (account_type BETWEEN 1 AND 4),
    user_id text NOT NULL GENERATED ALWAYS AS ('@' || localpart || ':' || server_name) STORED UNIQUE,
    PRIMARY KEY (localpart, server_name)
  )`.execute(db);
  await sql`CREATE TABLE userapi_profiles (
    user_id text PRIMARY KEY,
    displayname text,
    avatar_url text
  )`.execute(db);
  await sql`CREATE TABLE userapi_devices (
    user_id text NOT NULL,
    device_id text NOT NULL,
    -- The SHA-256 (base64url) of the access token: one token per device.
    token_hash text NOT NULL UNIQUE,
    display_name text,
    created_ts bigint NOT NULL,
    PRIMARY KEY (user_id, device_id)
  )`.execute(db);
  await sql`CREATE TABLE userapi_connections (
    user_id text NOT NULL,
    device_id text NOT NULL,
    ip text NOT NULL,
    user_agent text NOT NULL,
    last_seen bigint NOT NULL,
    PRIMARY KEY (user_id, device_id, ip, user_agent)
  )`.execute(db);
  await sql`CREATE TABLE userapi_account_data (
    user_id text NOT NULL,
    -- Empty for what belongs to no room.
    room_id text NOT NULL,
    type text NOT NULL,
    content json NOT NULL,
    -- In userapi_output.
    position bigint NOT NULL,
    PRIMARY KEY (user_id, room_id, type)
  )`.execute(db);
  await sql`CREATE INDEX userapi_account_data_position ON userapi_account_data (user_id, position)`.execute(
    db,
  );
  await sql`CREATE TABLE userapi_pushers (
    user_id text NOT NULL,
    app_id text NOT NULL,
    pushkey text NOT NULL,
    device_id text NOT NULL,
    pusher json NOT NULL,
    created_ts bigint NOT NULL,
    PRIMARY KEY (app_id, pushkey, user_id)
  )`.execute(db);
  await sql`CREATE INDEX userapi_pushers_user ON userapi_pushers (user_id, device_id)`.execute(db);
});
