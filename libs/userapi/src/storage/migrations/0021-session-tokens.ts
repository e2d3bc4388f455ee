import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Tokens that expire and are renewed, and tokens to log in by. Of all only the SHA-256 (base64url) is kept. */
export const sessionTokens = sqlMigration(async (db) => {
  await sql`ALTER TABLE userapi_devices
    ADD COLUMN expires_ts bigint,
    ADD COLUMN refresh_hash text UNIQUE,
    -- What was given out last, and has not been used yet.
    ADD COLUMN next_token_hash text UNIQUE,
    ADD COLUMN next_expires_ts bigint,
    ADD COLUMN next_refresh_hash text UNIQUE`.execute(db);
  await sql`CREATE TABLE userapi_login_tokens (
    token_hash text PRIMARY KEY,
    user_id text NOT NULL,
    -- The device that asked for it.
    device_id text NOT NULL,
    expires_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX userapi_login_tokens_device ON userapi_login_tokens (user_id, device_id)`.execute(
    db,
  );
  await sql`CREATE INDEX userapi_login_tokens_expiry ON userapi_login_tokens (expires_ts)`.execute(db);
});
