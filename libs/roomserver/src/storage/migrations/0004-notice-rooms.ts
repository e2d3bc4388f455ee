import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** The one room of each user that server notices come in. */
export const noticeRooms = sqlMigration(async (db) => {
  await sql`CREATE TABLE roomserver_notice_rooms (
    user_id text PRIMARY KEY,
    room_nid bigint NOT NULL,
    created_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX roomserver_notice_rooms_room ON roomserver_notice_rooms (room_nid, user_id)`.execute(
    db,
  );
});
