import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

/** Those of the candidates who are joined to a room that the user is joined to. */
export async function usersSharingRooms(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  candidates: readonly string[],
): Promise<string[]> {
  if (candidates.length === 0) return [];
  const result = await sql<{ user_id: string }>`
    SELECT user_id FROM unnest(${candidates}::text[]) AS candidate (user_id)
    WHERE EXISTS (
      SELECT FROM roomserver_memberships own JOIN roomserver_memberships other USING (room_nid)
      WHERE own.user_id = ${userId} AND own.membership = 'join'
        AND other.user_id = candidate.user_id AND other.membership = 'join'
    )
  `.execute(deps.db);
  return result.rows.map((row) => row.user_id);
}
