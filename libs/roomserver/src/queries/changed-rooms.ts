import { sql } from 'kysely';

import type { Membership, MemberState } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';
import { loadHistories, membershipAt } from './room-history.ts';

interface MembershipRow {
  room_nid: number;
  room_id: string;
  membership: Membership;
  position: number;
}

/**
 * The rooms of a user in which anything happened after `since` (all when null), with the membership as of
 * `until`. One query; a second one only when the user's own membership changed meanwhile.
 */
export async function changedRooms(
  deps: QueryDeps,
  userId: string,
  since: number | null,
  until: number,
): Promise<MemberState[]> {
  const from = since ?? -1;
  const result = await sql<MembershipRow>`
    SELECT r.room_nid, r.room_id, m.membership, m.position
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND NOT m.is_forgotten
      AND (m.position > ${from} OR (m.membership = 'join' AND r.last_position > ${from}))
    ORDER BY m.room_nid
  `.execute(deps.db);
  const isUnsettled = (row: MembershipRow): boolean =>
    row.position > until || (since !== null && row.position > since);
  const unsettled = result.rows.filter(isUnsettled).map((row) => row.room_nid);
  const histories = await loadHistories(deps, userId, unsettled, until);
  return result.rows.flatMap((row): MemberState[] => {
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
