import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Finds by its room what users have stored for it. */
export const roomRows = sqlMigration(async (db) => {
  await sql`CREATE INDEX userapi_account_data_room ON userapi_account_data (room_id, user_id, type)
    WHERE room_id <> ''`.execute(db);
  await sql`CREATE INDEX userapi_output_room ON userapi_output ((fact->>'roomId'), position)
    WHERE fact->>'roomId' IS NOT NULL`.execute(db);
});
