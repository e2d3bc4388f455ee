import { sql } from 'kysely';

import type { ListedRoom, Membership } from '@seneschal/contracts';

import type { InvitePermissionDeps } from '../../room/invite-permission.ts';
import { purgedRooms } from '../changed-rooms.ts';
import { type ReaderDeps, readerOfInvites } from '../ignoring.ts';
import { loadHistories, membershipAt, type RoomHistories, stateHorizon } from '../room-history.ts';

interface Row {
  room_nid: number;
  room_id: string;
  membership: Membership;
  position: number;
  since: number;
  last_position: number;
  imported_position: number;
  /** Whether the user is out of the room, and not by their own doing. */
  is_put_out: boolean;
  purged_ts: number | null;
}

/**
 * The rooms of a user, in one query; a second one for those that the user is out of, and for those where the
 * user's own membership changed after `until`.
 */
export async function listedRooms(
  deps: ReaderDeps & InvitePermissionDeps,
  userId: string,
  since: number | null,
  until: number,
): Promise<ListedRoom[]> {
  const { isShown } = await readerOfInvites(deps, userId);
  const from = since ?? Number.MAX_SAFE_INTEGER;
  const result = await sql<Row>`
    SELECT r.room_nid, r.room_id, m.membership, m.position, coalesce(m.since, m.position) AS since, r.last_position,
      r.imported_position, false AS is_put_out, NULL::bigint AS purged_ts
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' AND NOT m.is_forgotten
    UNION ALL
    SELECT r.room_nid, r.room_id, m.membership, m.position, coalesce(m.since, m.position), m.position,
      r.imported_position, m.membership = ANY('{leave,ban}'::text[]) AND e.sender <> m.user_id, NULL::bigint
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid) JOIN roomserver_events e USING (position)
    WHERE m.user_id = ${userId} AND m.membership <> 'join' AND NOT m.is_forgotten
      AND (m.membership <> 'invite' OR ${isShown})
      AND (m.membership = ANY('{invite,knock}'::text[]) OR e.sender <> m.user_id OR m.position > ${from})
    ${
      since === null
        ? sql``
        : sql`UNION ALL SELECT room_nid, room_id, membership, position, position, position,
      imported_position, false, purged_ts FROM (${purgedRooms(userId, since)}) AS purged`
    }
  `.execute(deps.db);
  const looked = result.rows.filter((row) => isOut(row) || isUnsettled(row, until));
  const histories = await loadHistories(
    deps,
    userId,
    looked.map((row) => row.room_nid),
    until,
  );
  return result.rows.flatMap((row) => listedRoom(row, until, histories));
}

function isOut({ membership, purged_ts: purgedTs }: Row): boolean {
  return purgedTs === null && (membership === 'leave' || membership === 'ban');
}

function isUnsettled(row: Row, until: number): boolean {
  return row.purged_ts === null && (row.position > until || row.since > until);
}

function listedRoom(row: Row, until: number, histories: RoomHistories): ListedRoom[] {
  const { room_id: roomId, imported_position: imported, purged_ts: purgedTs } = row;
  if (imported > until) return [];
  const changes = histories.of(row.room_nid).memberships;
  const since = Math.max(row.since, imported);
  const { membership, position } = row;
  const horizon = stateHorizon(changes);
  const knownUpTo = Math.min(horizon ?? 0, Number.MAX_SAFE_INTEGER);
  const room = { roomId, membership, position, since, activity: row.last_position, knownUpTo };
  if (purgedTs !== null) return [{ ...room, isKept: false, purgedTs }];
  if (!isUnsettled(row, until)) {
    return [{ ...room, isKept: !isOut(row) || (row.is_put_out && horizon !== undefined) }];
  }
  const then = membershipAt(changes, until);
  // Where somebody left meanwhile, the next look tells of it.
  if (then === undefined || then.membership === 'leave' || then.membership === 'ban') return [];
  const began = row.since > until ? then.position : row.since;
  return [{ ...room, ...then, since: Math.max(began, imported), isKept: true }];
}
