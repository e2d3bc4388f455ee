import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Up to where users have read. */
export const receipts = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_receipts (
    room_id text NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL CHECK (type IN ('m.read', 'm.read.private')),
    -- Empty for a receipt that holds for all threads.
    thread_id text NOT NULL,
    event_id text NOT NULL,
    -- Of the event, in the stream of the room server.
    event_position bigint NOT NULL,
    ts bigint NOT NULL,
    -- In userapi_output.
    position bigint NOT NULL,
    PRIMARY KEY (room_id, user_id, type, thread_id)
  )`.execute(db);
  await sql`CREATE INDEX userapi_receipts_room ON userapi_receipts (room_id, position)`.execute(db);
  await sql`CREATE INDEX userapi_receipts_position ON userapi_receipts (position)`.execute(db);
  await sql`CREATE INDEX userapi_receipts_user ON userapi_receipts (user_id)`.execute(db);
});
