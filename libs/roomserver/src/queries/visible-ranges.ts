import { sql } from 'kysely';

import type { VisibleRange } from '@seneschal/contracts';
import { visibleRanges as rangesOf } from '@seneschal/matrix';

import type { QueryDeps } from './query-deps.ts';
import { loadHistories } from './room-history.ts';

interface JoinedRoom {
  room_nid: number;
  room_id: string;
  may_hide_history: boolean;
}

/**
 * The rooms that a user is joined to, with the positions whose events the user may see. The history is read only
 * of the rooms that may ever have hidden anything from their members, so that thousands of rooms cost one query.
 */
export async function visibleRanges(deps: QueryDeps, userId: string): Promise<VisibleRange[]> {
  const rooms = await joinedRooms(deps, userId);
  const hiding = rooms.filter((room) => room.may_hide_history).map((room) => room.room_nid);
  const histories = await loadHistories(deps, userId, hiding, Number.MAX_SAFE_INTEGER);
  return rooms.flatMap(({ room_nid: roomNid, room_id: roomId, may_hide_history: mayHide }) => {
    if (!mayHide) return [{ roomId, from: 0, to: Infinity }];
    const { memberships, visibilities } = histories.of(roomNid);
    return rangesOf(memberships, visibilities).map(({ from, to }) => ({
      roomId,
      from: Math.max(from, 0),
      to,
    }));
  });
}

async function joinedRooms(deps: QueryDeps, userId: string): Promise<JoinedRoom[]> {
  const result = await sql<JoinedRoom>`
    SELECT r.room_nid, r.room_id, r.may_hide_history
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' ORDER BY r.room_nid
  `.execute(deps.db);
  return result.rows;
}
