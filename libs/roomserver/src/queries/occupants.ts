import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

export async function occupants(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<number | undefined> {
  const result = await sql<{ count: number }>`
    SELECT (
      SELECT count(*) FROM roomserver_memberships m
      WHERE m.room_nid = r.room_nid AND m.is_local AND m.membership = ANY('{join,invite,knock}'::text[])
    ) AS count
    FROM roomserver_rooms r WHERE r.room_id = ${roomId}
  `.execute(deps.db);
  return result.rows[0]?.count;
}

export async function occupiedRooms(deps: Pick<QueryDeps, 'db'>, userId: string): Promise<number> {
  const result = await sql<{ count: number }>`
    SELECT count(*) AS count FROM roomserver_memberships
    WHERE user_id = ${userId} AND membership = ANY('{join,invite,knock}'::text[])
  `.execute(deps.db);
  return result.rows[0]?.count ?? 0;
}
