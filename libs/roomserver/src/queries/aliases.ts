import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

export async function roomIdByAlias(deps: Pick<QueryDeps, 'db'>, alias: string): Promise<string | undefined> {
  const result = await sql<{ room_id: string }>`
    SELECT r.room_id FROM roomserver_aliases a JOIN roomserver_rooms r USING (room_nid)
    WHERE a.alias = ${alias}
  `.execute(deps.db);
  return result.rows[0]?.room_id;
}

/** The aliases that this server knows for a room. */
export async function aliases(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<string[]> {
  const result = await sql<{ alias: string }>`
    SELECT a.alias FROM roomserver_rooms r JOIN roomserver_aliases a USING (room_nid)
    WHERE r.room_id = ${roomId} ORDER BY a.alias
  `.execute(deps.db);
  return result.rows.map((row) => row.alias);
}
