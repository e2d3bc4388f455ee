import { sql } from 'kysely';

import type { VisibleRange } from '@seneschal/contracts';
import { ownString, visibleRanges as rangesOf } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories } from './room-history.ts';

interface JoinedRoom {
  room_nid: number;
  room_id: string;
  /** Every history visibility that there ever was; null when it was never set. */
  visibilities: string[] | null;
}

/** What members see all of, whenever they joined. */
const open: ReadonlySet<string | undefined> = new Set(['shared', 'world_readable']);

/**
 * The rooms that a user is joined to, with the positions whose events the user may see. The user's own history is
 * read only of the rooms that ever hid anything from their members, so that thousands of rooms cost one query.
 */
export async function visibleRanges(deps: QueryDeps, userId: string): Promise<VisibleRange[]> {
  const rooms = await joinedRooms(deps, userId);
  const hiding = new Set(rooms.filter(everHid).map((room) => room.room_nid));
  const histories = await loadHistories(deps, userId, [...hiding], Number.MAX_SAFE_INTEGER);
  return rooms.flatMap(({ room_nid: roomNid, room_id: roomId }) => {
    if (!hiding.has(roomNid)) return [{ roomId, from: 0, to: Infinity }];
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
    SELECT r.room_nid, r.room_id, (
      SELECT array_agg(v.json) FROM roomserver_events v
      WHERE v.room_nid = m.room_nid AND v.type = 'm.room.history_visibility' AND v.state_key = ''
    ) AS visibilities
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' ORDER BY r.room_nid
  `.execute(deps.db);
  return result.rows;
}

/** A value that cannot be read hides: so do the readers of single events take it. */
function everHid({ visibilities }: JoinedRoom): boolean {
  return (visibilities ?? []).some(
    (json) => !open.has(ownString(parsePdu(json)?.content, 'history_visibility')),
  );
}
