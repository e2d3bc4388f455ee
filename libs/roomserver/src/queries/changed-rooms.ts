import { type RawBuilder, sql } from 'kysely';

import type { Membership, MemberState } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';
import { loadHistories, membershipAt } from './room-history.ts';

interface MembershipRow {
  room_nid: number;
  room_id: string;
  membership: Membership;
  position: number;
  /** Where an imported room appeared, else 0. */
  imported_position: number;
  /** Only of rooms that are gone. */
  purged_ts: number | null;
}

/**
 * The rooms of a user in which anything happened after `since` (all when null), with the membership as of
 * `until`. One query; a second one only when the user's own membership changed meanwhile. Rooms that were purged
 * since are told as left: a first sync never hears of them.
 */
export async function changedRooms(
  deps: QueryDeps,
  userId: string,
  since: number | null,
  until: number,
): Promise<MemberState[]> {
  const from = since ?? -1;
  const result = await sql<MembershipRow>`
    SELECT r.room_nid, r.room_id, m.membership, m.position, r.imported_position, NULL::bigint AS purged_ts
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND NOT m.is_forgotten
      AND (m.position > ${from} OR r.imported_position > ${from}
        OR (m.membership = 'join' AND r.last_position > ${from}))
    ${since === null ? sql`` : sql`UNION ALL ${purgedRooms(userId, since)}`}
    ORDER BY room_nid
  `.execute(deps.db);
  const isUnsettled = (row: MembershipRow): boolean =>
    row.purged_ts === null && (row.position > until || (since !== null && row.position > since));
  const unsettled = result.rows.filter(isUnsettled).map((row) => row.room_nid);
  const histories = await loadHistories(deps, userId, unsettled, until);
  return result.rows.flatMap((row): MemberState[] => {
    if (row.purged_ts !== null) return [purgedRoom(userId, row, row.purged_ts)];
    if (since !== null && row.imported_position > since) return importedRoom(userId, row, until);
    const { roomId, ...settled } = {
      roomId: row.room_id,
      membership: row.membership,
      position: row.position,
    };
    if (!isUnsettled(row)) {
      return [{ roomId, userId, ...settled, membershipBefore: since === null ? undefined : row.membership }];
    }
    const changes = histories.of(row.room_nid).memberships;
    const now = membershipAt(changes, until);
    const hasNews = now !== undefined && (now.membership === 'join' || now.position > from);
    if (!hasNews) return [];
    const before = since === null ? undefined : membershipAt(changes, since)?.membership;
    return [{ roomId, userId, ...now, membershipBefore: before }];
  });
}

/**
 * A device that has not heard of the end of the membership has a token from before it. Who is in a room of
 * the same ID again hears of that one.
 */
export function purgedRooms(userId: string, since: number): RawBuilder<unknown> {
  return sql`
    SELECT d.room_nid, x.room_id, 'leave' AS membership, coalesce(d.position, x.purged_position) AS position,
      0::bigint AS imported_position, x.purged_ts
    FROM roomserver_departures d JOIN roomserver_deletions x USING (room_nid)
    WHERE d.user_id = ${userId} AND (d.position > ${since} OR d.position IS NULL)
      AND x.purged_position IS NOT NULL AND coalesce(d.position, x.purged_position) > ${since}
      AND NOT EXISTS (
        SELECT FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid)
        WHERE r.room_id = x.room_id AND m.user_id = d.user_id
      )`;
}

function purgedRoom(userId: string, row: MembershipRow, purgedTs: number): MemberState {
  const { room_id: roomId, membership, position } = row;
  return { roomId, userId, membership, position, membershipBefore: 'join', purgedTs };
}

/** Who is in an imported room is told of it as of a new one, wherever its events stand in the stream. */
function importedRoom(userId: string, row: MembershipRow, until: number): MemberState[] {
  const isOut = row.membership === 'leave' || row.membership === 'ban';
  if (isOut || row.imported_position > until) return [];
  const position = Math.max(row.position, row.imported_position);
  return [{ roomId: row.room_id, userId, membership: row.membership, position, membershipBefore: undefined }];
}
