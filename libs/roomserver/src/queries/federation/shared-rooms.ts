import { sql } from 'kysely';

import type { QueryDeps } from '../query-deps.ts';

/** Rooms `r` that a local user is joined to: more are joined than other servers have there. */
export const isResident = sql<boolean>`r.joined_members > (
  SELECT coalesce(sum(s.joined_members), 0) FROM roomserver_room_servers s WHERE s.room_nid = r.room_nid
)`;

/** Other servers that share a room with each of these local users. */
export async function serversSharingRooms(
  deps: Pick<QueryDeps, 'db'>,
  userIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (userIds.length === 0) return new Map();
  const result = await sql<{ user_id: string; servers: string[] }>`
    SELECT m.user_id, array_agg(DISTINCT s.server_name) AS servers
    FROM roomserver_memberships m JOIN roomserver_room_servers s USING (room_nid)
    WHERE m.user_id = ANY(${[...userIds]}::text[]) AND m.membership = 'join' AND s.joined_members > 0
    GROUP BY m.user_id
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.user_id, row.servers]));
}

/** Those of these users of other servers who share a room with a user of this one. */
export async function usersSharedWith(
  deps: Pick<QueryDeps, 'db'>,
  userIds: readonly string[],
): Promise<Set<string>> {
  if (userIds.length === 0) return new Set();
  const result = await sql<{ user_id: string }>`
    SELECT asked.user_id FROM unnest(${[...userIds]}::text[]) AS asked (user_id) WHERE EXISTS (
      SELECT FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
      WHERE m.user_id = asked.user_id AND m.membership = 'join' AND ${isResident}
    )
  `.execute(deps.db);
  return new Set(result.rows.map((row) => row.user_id));
}

/** Of a room that no local user is in any more, a page of those who share no other room either. */
export async function strangersIn(
  deps: Pick<QueryDeps, 'db'>,
  roomId: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const result = await sql<{ user_id: string }>`
    SELECT left_behind.user_id FROM roomserver_rooms r JOIN roomserver_memberships left_behind USING (room_nid)
    WHERE r.room_id = ${roomId} AND NOT ${isResident} AND NOT left_behind.is_local
      AND left_behind.membership = 'join' AND left_behind.user_id > ${after}
      AND NOT EXISTS (
        SELECT FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
        WHERE m.user_id = left_behind.user_id AND m.membership = 'join' AND ${isResident}
      )
    ORDER BY left_behind.user_id LIMIT ${limit}
  `.execute(deps.db);
  return result.rows.map((row) => row.user_id);
}
