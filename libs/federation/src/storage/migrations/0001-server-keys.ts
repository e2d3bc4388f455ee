import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

export const serverKeys = sqlMigration(async (db) => {
  await sql`CREATE TABLE federation_server_keys (
    server_name text NOT NULL,
    key_id text NOT NULL,
    public_key text NOT NULL,
    valid_until_ts bigint NOT NULL,
    PRIMARY KEY (server_name, key_id)
  )`.execute(db);
});
