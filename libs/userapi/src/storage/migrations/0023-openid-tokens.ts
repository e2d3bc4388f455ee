import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Tokens by which others learn who somebody is. Only the SHA-256 (base64url) is kept. */
export const openidTokens = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_openid_tokens (
    token_hash text PRIMARY KEY,
    user_id text NOT NULL,
    -- The device that asked for it.
    device_id text NOT NULL,
    expires_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX userapi_openid_tokens_device ON userapi_openid_tokens (user_id, device_id)`.execute(
    db,
  );
  await sql`CREATE INDEX userapi_openid_tokens_expiry ON userapi_openid_tokens (expires_ts)`.execute(db);
});
