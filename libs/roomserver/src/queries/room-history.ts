import { sql } from 'kysely';

import type { Membership } from '@seneschal/contracts';
import {
  type MembershipChange,
  ownString,
  type VisibilityChange,
  visibilityFilter,
  type VisibilityFilter,
} from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';

/** What one user was in one room over time, and how visible the room's events were; both by position. */
export interface RoomHistory {
  memberships: MembershipChange[];
  visibilities: VisibilityChange[];
}

interface HistoryRow {
  room_nid: number;
  position: number;
  type: string;
  json: string;
}

const none: RoomHistory = { memberships: [], visibilities: [] };

/** The histories of several rooms for one user, in one query. */
export class RoomHistories {
  readonly #byRoom = new Map<number, RoomHistory>();

  constructor(rows: readonly HistoryRow[]) {
    for (const row of rows) {
      const history = this.#byRoom.get(row.room_nid) ?? { memberships: [], visibilities: [] };
      this.#byRoom.set(row.room_nid, history);
      const content = parsePdu(row.json)?.content;
      if (row.type === 'm.room.member') {
        // What cannot be read counts as the most private value.
        const membership = ownString(content, 'membership') ?? 'leave';
        history.memberships.push({ position: row.position, membership });
      } else {
        const value = content === undefined ? 'joined' : (ownString(content, 'history_visibility') ?? '');
        history.visibilities.push({ position: row.position, value });
      }
    }
  }

  of(roomNid: number): RoomHistory {
    return this.#byRoom.get(roomNid) ?? none;
  }

  filter(roomNid: number): VisibilityFilter {
    const { memberships, visibilities } = this.of(roomNid);
    return visibilityFilter(memberships, visibilities);
  }
}

export async function loadHistories(
  deps: QueryDeps,
  userId: string,
  roomNids: readonly number[],
  until: number,
): Promise<RoomHistories> {
  if (roomNids.length === 0) return new RoomHistories([]);
  const result = await sql<HistoryRow>`
    SELECT room_nid, position, type, json FROM (
      SELECT room_nid, position, type, json FROM roomserver_events
      WHERE room_nid = ANY(${roomNids}::bigint[]) AND type = 'm.room.member' AND state_key = ${userId}
      UNION ALL
      SELECT room_nid, position, type, json FROM roomserver_events
      WHERE room_nid = ANY(${roomNids}::bigint[]) AND type = 'm.room.history_visibility' AND state_key = ''
    ) AS changes WHERE position <= ${until} ORDER BY position
  `.execute(deps.db);
  return new RoomHistories(result.rows);
}

/** The membership in force at a position. */
export function membershipAt(
  changes: readonly MembershipChange[],
  position: number,
): { membership: Membership; position: number } | undefined {
  const found = changes.findLast((change) => change.position <= position);
  return found === undefined
    ? undefined
    : { membership: found.membership as Membership, position: found.position };
}

/**
 * Up to which position a user may know the room's state: Infinity while joined, the position of the leaving
 * event afterwards, undefined for those who never were in the room.
 */
export function stateHorizon(changes: readonly MembershipChange[]): number | undefined {
  const lastJoin = changes.findLastIndex((change) => change.membership === 'join');
  if (lastJoin === -1) return undefined;
  return changes[lastJoin + 1]?.position ?? Infinity;
}
