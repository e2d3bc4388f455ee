import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';
import { forbidden, ownString } from '@seneschal/matrix';

import { redactErased } from './erasure.ts';
import { eventsAt } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';
import { bounded, type RoomView, viewRoom } from './room-view.ts';
import { allMemberPositions } from './state-positions.ts';

export interface MembersFilter {
  membership?: string;
  notMembership?: string;
  /** A stream position: the members as they were then. */
  at?: number;
}

/** Membership events of a room, for those who left as of leaving. M_FORBIDDEN for strangers. */
export async function members(
  deps: QueryDeps,
  roomId: string,
  userId: string,
  filter: MembersFilter,
): Promise<StoredEvent[]> {
  const view = await viewRoom(deps, roomId, userId);
  const bound = Math.min(view.horizon, filter.at ?? Infinity);
  const events = await eventsAt(deps, await positionsFor(deps, view, bound, filter));
  await redactErased(deps, userId, events);
  return events.filter(({ pdu }) => {
    const membership = ownString(pdu.content, 'membership');
    if (filter.membership !== undefined && membership !== filter.membership) return false;
    return filter.notMembership === undefined || membership !== filter.notMembership;
  });
}

/** For the present the database itself leaves out those of other memberships. */
async function positionsFor(
  deps: QueryDeps,
  view: RoomView,
  bound: number,
  filter: MembersFilter,
): Promise<number[]> {
  if (bound !== Infinity || filter.membership === undefined) {
    return allMemberPositions(deps, [{ roomNid: view.roomNid, since: 0, bound: bounded(bound) }]);
  }
  return presentMembers(deps, view.roomNid, filter.membership);
}

async function presentMembers(deps: QueryDeps, roomNid: number, membership: string): Promise<number[]> {
  const result = await sql<{ position: number }>`
    SELECT position FROM roomserver_memberships WHERE room_nid = ${roomNid} AND membership = ${membership}
  `.execute(deps.db);
  return result.rows.map((row) => row.position);
}

/** The joined members by user ID with the names the room knows them by. M_FORBIDDEN unless joined oneself. */
export async function joinedMembers(
  deps: QueryDeps,
  roomId: string,
  userId: string,
): Promise<Map<string, { displayname?: string; avatarUrl?: string }>> {
  const view = await viewRoom(deps, roomId, userId);
  if (!view.isJoined) throw forbidden('You are not in this room.');
  const events = await eventsAt(deps, await presentMembers(deps, view.roomNid, 'join'));
  return new Map(
    events.map(({ pdu }) => {
      const displayname = ownString(pdu.content, 'displayname');
      const avatarUrl = ownString(pdu.content, 'avatar_url');
      return [
        pdu.state_key ?? '',
        {
          ...(displayname === undefined ? {} : { displayname }),
          ...(avatarUrl === undefined ? {} : { avatarUrl }),
        },
      ];
    }),
  );
}
