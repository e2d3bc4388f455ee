import { sql } from 'kysely';

import type { RoomserverForAdmin } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';

type Page = Parameters<RoomserverForAdmin['roomsOfServer']>[1];

/** Rooms in which users of another server are joined, by room ID; rooms that are being deleted are not among them. */
export async function roomsOfServer(
  deps: Pick<QueryDeps, 'db'>,
  serverName: string,
  { after = '', limit }: Page,
): Promise<{ roomId: string; joinedMembers: number }[]> {
  const result = await sql<{ room_id: string; joined_members: number }>`
    SELECT r.room_id, s.joined_members FROM roomserver_room_servers s JOIN roomserver_rooms r USING (room_nid)
    WHERE s.server_name = ${serverName} AND s.joined_members > 0 AND r.room_id > ${after} AND NOT r.is_closed
    ORDER BY r.room_id LIMIT ${limit}
  `.execute(deps.db);
  return result.rows.map((row) => ({ roomId: row.room_id, joinedMembers: row.joined_members }));
}
