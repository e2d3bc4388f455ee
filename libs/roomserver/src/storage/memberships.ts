import { type Kysely, sql } from 'kysely';

import { ownString } from '@seneschal/matrix';

import { parsePdu } from './rooms.ts';
import type { RoomserverTables } from './tables.ts';

/** Rooms that a user is in (first) or on the way into. */
export async function roomsToLeave(db: Kysely<RoomserverTables>, userId: string): Promise<string[]> {
  const result = await sql<{ room_id: string }>`
    SELECT r.room_id FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = ANY('{join,invite,knock}'::text[])
    ORDER BY m.membership = 'join' DESC, m.position
  `.execute(db);
  return result.rows.map((row) => row.room_id);
}

/** A page of the rooms that a user is in or on the way into, in the order of their numbers. */
export async function pageOfRoomsToLeave(
  db: Kysely<RoomserverTables>,
  userId: string,
  after: number,
  limit: number,
): Promise<{ roomNid: number; roomId: string }[]> {
  const result = await sql<{ roomNid: number; roomId: string }>`
    SELECT r.room_nid AS "roomNid", r.room_id AS "roomId"
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = ANY('{join,invite,knock}'::text[]) AND m.room_nid > ${after}
    ORDER BY m.room_nid LIMIT ${limit}
  `.execute(db);
  return result.rows;
}

/** Marks a room that the user is out of as forgotten; false when the user is still in, or never was. */
export async function forget(db: Kysely<RoomserverTables>, roomId: string, userId: string): Promise<boolean> {
  const result = await sql`
    UPDATE roomserver_memberships m SET is_forgotten = true FROM roomserver_rooms r
    WHERE r.room_id = ${roomId} AND m.room_nid = r.room_nid AND m.user_id = ${userId}
      AND m.membership = ANY('{leave,ban}'::text[])
  `.execute(db);
  return (result.numAffectedRows ?? 0n) > 0n;
}

export interface Ban {
  userId: string;
  reason: string | undefined;
}

/** The newest bans of a room, the oldest of them first. */
export async function newestBans(
  db: Kysely<RoomserverTables>,
  roomNid: number,
  limit: number,
): Promise<Ban[]> {
  const found = await sql<{ user_id: string; json: string }>`
    SELECT m.user_id, e.json FROM roomserver_memberships m LEFT JOIN roomserver_events e USING (position)
    WHERE m.room_nid = ${roomNid} AND m.membership = 'ban' ORDER BY m.position DESC LIMIT ${limit}
  `.execute(db);
  return found.rows.reverse().map(({ user_id: userId, json }) => {
    return { userId, reason: ownString(parsePdu(json)?.content, 'reason') };
  });
}
