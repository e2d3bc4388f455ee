import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

/** Whether users of other servers are joined to a room. */
export async function isShared(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<boolean> {
  const result = await sql`
    SELECT FROM roomserver_rooms r JOIN roomserver_room_servers s USING (room_nid)
    WHERE r.room_id = ${roomId} AND s.joined_members > 0 LIMIT 1
  `.execute(deps.db);
  return result.rows.length > 0;
}
