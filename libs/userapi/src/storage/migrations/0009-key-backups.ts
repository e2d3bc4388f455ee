import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What is in key backups. `json` and not `jsonb`: it is given back as it came. */
export const keyBackups = sqlMigration(async (db) => {
  await sql`ALTER TABLE userapi_key_backup_versions ADD COLUMN etag bigint NOT NULL DEFAULT 0`.execute(db);
  await sql`CREATE TABLE userapi_key_backups (
    user_id text NOT NULL,
    version bigint NOT NULL,
    room_id text NOT NULL,
    session_id text NOT NULL,
    first_message_index bigint NOT NULL,
    forwarded_count bigint NOT NULL,
    is_verified boolean NOT NULL,
    session_data json NOT NULL,
    PRIMARY KEY (user_id, version, room_id, session_id)
  )`.execute(db);
  await sql`CREATE INDEX userapi_key_backups_room
    ON userapi_key_backups (room_id, user_id, version, session_id)`.execute(db);
});
