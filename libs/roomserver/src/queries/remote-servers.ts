import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

/** How many other servers have joined members in some of the rooms. */
export async function remoteServers(
  deps: Pick<QueryDeps, 'db'>,
  roomIds: readonly string[],
): Promise<number> {
  const result = await sql<{ count: number }>`
    SELECT count(DISTINCT substr(m.user_id, strpos(m.user_id, ':') + 1)) AS count
    FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid)
    WHERE r.room_id = ANY(${[...roomIds]}::text[]) AND NOT m.is_local AND m.membership = 'join'
  `.execute(deps.db);
  return result.rows[0]?.count ?? 0;
}
