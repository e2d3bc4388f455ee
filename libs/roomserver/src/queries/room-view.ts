import { sql } from 'kysely';

import type { Membership } from '@seneschal/contracts';
import { forbidden, ownString } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories, stateHorizon } from './room-history.ts';

/** A room as one user may look at it. */
export interface RoomView {
  roomNid: number;
  roomId: string;
  isJoined: boolean;
  /** Position of the user's last membership event; 0 for a stranger in a world-readable room. */
  memberSince: number;
  /** The last position that the user may know state of; Infinity for the present. */
  horizon: number;
}

interface ViewRow {
  room_nid: number;
  membership: Membership | null;
  position: number | null;
  is_forgotten: boolean | null;
  visibility_json: string | null;
}

/**
 * What of a room the user may look at: its present for members (and for all when it is world readable), the
 * time up to leaving for former members. Throws the same M_FORBIDDEN for strangers and for unknown rooms.
 */
export async function viewRoom(deps: QueryDeps, roomId: string, userId: string): Promise<RoomView> {
  const row = await findRoom(deps, roomId, userId);
  if (row === undefined) throw notAMember();
  const view = { roomNid: row.room_nid, roomId, memberSince: row.position ?? 0 };
  if (row.membership === 'join') return { ...view, isJoined: true, horizon: Infinity };
  if (ownString(parsePdu(row.visibility_json)?.content, 'history_visibility') === 'world_readable') {
    return { ...view, isJoined: false, horizon: Infinity };
  }
  if (row.membership === null || row.is_forgotten === true) throw notAMember();
  const histories = await loadHistories(deps, userId, [row.room_nid], Number.MAX_SAFE_INTEGER);
  const horizon = stateHorizon(histories.of(row.room_nid).memberships);
  if (horizon === undefined) throw notAMember();
  return { ...view, isJoined: false, horizon };
}

function notAMember(): Error {
  return forbidden('You are not in this room and never were.');
}

async function findRoom(deps: QueryDeps, roomId: string, userId: string): Promise<ViewRow | undefined> {
  const result = await sql<ViewRow>`
    SELECT r.room_nid, m.membership, m.position, m.is_forgotten, visibility.json AS visibility_json
    FROM roomserver_rooms r
    LEFT JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = ${userId}
    LEFT JOIN roomserver_current_state c
      ON c.room_nid = r.room_nid AND c.type = 'm.room.history_visibility' AND c.state_key = ''
    LEFT JOIN roomserver_events visibility ON visibility.position = c.position
    WHERE r.room_id = ${roomId}
  `.execute(deps.db);
  return result.rows[0];
}

/** A position as a parameter for the database, which knows no Infinity. */
export function bounded(position: number): number {
  return Math.min(position, Number.MAX_SAFE_INTEGER);
}
