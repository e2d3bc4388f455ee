import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Registration tokens. Rows name a token by its number, so one that is made anew begins anew. */
export const registrationTokens = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_registration_tokens (
    token_nid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token text COLLATE "C" NOT NULL UNIQUE,
    -- NULL for no limit.
    uses_allowed int,
    completed int NOT NULL DEFAULT 0,
    -- NULL for never.
    expiry_ts bigint,
    created_by text NOT NULL,
    created_ts bigint NOT NULL
  )`.execute(db);
  // Registrations under way. A row whose time is up counts no more, whether or not it has been removed.
  await sql`CREATE TABLE userapi_registration_holds (
    -- The SHA-256 (base64url) of the session.
    session text PRIMARY KEY,
    token_nid bigint NOT NULL,
    expires_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX userapi_registration_holds_token ON userapi_registration_holds (token_nid, expires_ts)`.execute(
    db,
  );
  await sql`CREATE INDEX userapi_registration_holds_expiry ON userapi_registration_holds (expires_ts)`.execute(
    db,
  );
  await sql`CREATE TABLE userapi_registrations (
    registration_nid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_nid bigint NOT NULL,
    -- Kept here too, because it outlives the token.
    token text NOT NULL,
    user_id text NOT NULL UNIQUE,
    created_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX userapi_registrations_token ON userapi_registrations (token_nid, registration_nid)`.execute(
    db,
  );
});
