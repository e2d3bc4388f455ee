import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Tokens of machines: of an administrator, but of no device. */
export const adminTokens = sqlMigration((db) =>
  sql`CREATE TABLE userapi_admin_tokens (
    id text PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,
    name text NOT NULL,
    scopes text[] NOT NULL,
    addresses text[] NOT NULL,
    created_by text NOT NULL,
    created_ts bigint NOT NULL,
    expires_ts bigint,
    last_used_ts bigint
  )`.execute(db),
);
