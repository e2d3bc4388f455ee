import { type Kysely, sql } from 'kysely';

import { transact } from '@seneschal/database';
import { forbidden } from '@seneschal/matrix';

import { insertRoom, roomNidOf } from './rooms.ts';
import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/**
 * Makes sure of the row of a room that lives on other servers; true when it was made just now. What others said of the
 * version of a room that they only invited to gives way. M_FORBIDDEN while a deletion of the room is under way.
 */
export async function ensureRoom(db: Db, roomId: string, roomVersion: string): Promise<boolean> {
  return transact(db, async (transaction) => {
    const deletion = await sql`
      SELECT FROM roomserver_deletions WHERE room_id = ${roomId} AND finished_ts IS NULL
    `.execute(transaction);
    if (deletion.rows.length > 0) throw forbidden('An administrator is deleting this room.');
    if ((await roomNidOf(transaction, roomId)) === undefined) {
      const room = { roomId, roomVersion, isListed: false, createdTs: Date.now() };
      return (await insertRoom(transaction, room)) !== undefined;
    }
    await sql`
      UPDATE roomserver_rooms r SET room_version = ${roomVersion}
      WHERE r.room_id = ${roomId} AND r.room_version <> ${roomVersion} AND NOT EXISTS (
        SELECT FROM roomserver_current_state s WHERE s.room_nid = r.room_nid AND s.type = 'm.room.create'
      )
    `.execute(transaction);
    return false;
  });
}

/** Takes the row away again when nothing came of it. */
export async function dropEmptyRoom(db: Db, roomId: string): Promise<void> {
  await sql`
    DELETE FROM roomserver_rooms WHERE room_id = ${roomId} AND last_position = 0 AND NOT is_closed
  `.execute(db);
}
