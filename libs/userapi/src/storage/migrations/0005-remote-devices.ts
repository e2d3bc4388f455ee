import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What is known of the devices of other servers' users; what their server answered last, as a whole. */
export const remoteDevices = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_remote_device_lists (
    user_id text PRIMARY KEY,
    server_name text NOT NULL,
    -- Of the other server: what its device-list updates count.
    stream_id bigint NOT NULL,
    is_stale boolean NOT NULL,
    -- When the list was last fetched; 0 for never.
    fetched_ts bigint NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    retry_ts bigint NOT NULL DEFAULT 0,
    -- Why the last attempt failed.
    error text,
    -- Cross-signing keys in canonical JSON.
    master_key text,
    self_signing_key text
  )`.execute(db);
  await sql`CREATE INDEX userapi_remote_device_lists_stale
    ON userapi_remote_device_lists (server_name, retry_ts) WHERE is_stale`.execute(db);
  await sql`CREATE TABLE userapi_remote_devices (
    user_id text NOT NULL,
    device_id text NOT NULL,
    -- Identity keys in canonical JSON; null for a device without.
    keys text,
    display_name text,
    PRIMARY KEY (user_id, device_id)
  )`.execute(db);
  // Other servers ask for the position of one user's last change.
  await sql`CREATE INDEX userapi_output_device_list ON userapi_output ((fact->>'userId'), position)
    WHERE fact->>'kind' = 'device_list_changed'`.execute(db);
});
