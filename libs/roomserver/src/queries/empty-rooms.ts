import { sql } from 'kysely';

import type { RoomserverForAdmin } from '@seneschal/contracts';
import { invalidParam } from '@seneschal/matrix';

import type { QueryDeps } from './query-deps.ts';

type Page = Parameters<RoomserverForAdmin['emptyRooms']>[0];
type Result = Awaited<ReturnType<RoomserverForAdmin['emptyRooms']>>;

/**
 * Rooms that no local user is joined to, also those in which only invites are left, the oldest first. One query
 * a page; `from` is the number of the last room before it.
 */
export async function emptyRooms(deps: Pick<QueryDeps, 'db'>, { from, limit }: Page): Promise<Result> {
  if (from !== undefined && !/^\d{1,15}$/.test(from))
    throw invalidParam('from: is not a next_token of this list.');
  const result = await sql<{ room_nid: number; room_id: string }>`
    SELECT r.room_nid, r.room_id FROM roomserver_rooms r
    WHERE r.room_nid > ${Number(from ?? 0)} AND NOT r.is_closed AND NOT EXISTS (
      SELECT FROM roomserver_memberships m
      WHERE m.room_nid = r.room_nid AND m.is_local AND m.membership = 'join'
    )
    ORDER BY r.room_nid LIMIT ${limit + 1}
  `.execute(deps.db);
  const rows = result.rows.slice(0, limit);
  const last = result.rows.length > limit ? rows.at(-1) : undefined;
  const roomIds = rows.map((row) => row.room_id);
  return last === undefined ? { roomIds } : { roomIds, next: String(last.room_nid) };
}
