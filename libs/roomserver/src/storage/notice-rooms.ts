import { type Kysely, sql, type Transaction } from 'kysely';

import type { RoomserverTables } from './tables.ts';

/** `roomId` is null when the room is no more. */
export interface NoticeRoom {
  roomNid: number;
  roomId: string | null;
}

export async function findNoticeRoom(
  db: Kysely<RoomserverTables>,
  userId: string,
): Promise<NoticeRoom | undefined> {
  return db
    .selectFrom('roomserver_notice_rooms as n')
    .leftJoin('roomserver_rooms as r', 'r.room_nid', 'n.room_nid')
    .select(['n.room_nid as roomNid', 'r.room_id as roomId'])
    .where('n.user_id', '=', userId)
    .executeTakeFirst();
}

/** Makes a room the user's in place of the one that was seen; false when another came first. */
export async function claimNoticeRoom(
  transaction: Transaction<RoomserverTables>,
  claim: { userId: string; roomId: string; seen: number | null },
): Promise<boolean> {
  const result = await sql`
    INSERT INTO roomserver_notice_rooms AS mine (user_id, room_nid, created_ts)
    SELECT ${claim.userId}, room_nid, ${Date.now()} FROM roomserver_rooms WHERE room_id = ${claim.roomId}
    ON CONFLICT (user_id) DO UPDATE SET room_nid = EXCLUDED.room_nid, created_ts = EXCLUDED.created_ts
    WHERE mine.room_nid = ${claim.seen}::bigint
  `.execute(transaction);
  return result.numAffectedRows === 1n;
}

export async function isNoticeRoom(
  db: Kysely<RoomserverTables>,
  roomNid: number,
  userId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('roomserver_notice_rooms')
    .select('room_nid')
    .where('user_id', '=', userId)
    .where('room_nid', '=', roomNid)
    .executeTakeFirst();
  return row !== undefined;
}
