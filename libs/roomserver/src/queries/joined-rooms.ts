import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

export async function joinedRooms(deps: Pick<QueryDeps, 'db'>, userId: string): Promise<string[]> {
  const result = await sql<{ room_id: string }>`
    SELECT r.room_id FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' ORDER BY m.room_nid
  `.execute(deps.db);
  return result.rows.map((row) => row.room_id);
}
