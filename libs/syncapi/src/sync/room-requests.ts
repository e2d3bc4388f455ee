import type { MemberState, RoomSyncRequest } from '@seneschal/contracts';

import type { SyncQuery } from './sync-query.ts';

/** The user's rooms by the section of the answer that they belong to. */
export interface RoomsBySection {
  join: MemberState[];
  invite: MemberState[];
  knock: MemberState[];
  leave: MemberState[];
}

/** Rooms that were left show when that is new, or when the filter asks for them with all state. */
export function sortRooms(query: SyncQuery, rooms: readonly MemberState[]): RoomsBySection {
  const since = query.since?.roomserver ?? null;
  const sections: RoomsBySection = { join: [], invite: [], knock: [], leave: [] };
  for (const room of rooms) {
    if (!query.filter.wantsRoom(room.roomId)) continue;
    if (room.membership === 'join') sections.join.push(room);
    else if (room.membership === 'leave' || room.membership === 'ban') {
      const isNew = since !== null && room.position > since;
      const isWanted = query.filter.includeLeave && (since === null || query.fullState);
      if (isNew || isWanted) sections.leave.push(room);
    } else sections[room.membership].push(room);
  }
  return sections;
}

/** Whether the user came into the room after `since`: the client then needs all of its state. */
export function isNewlyJoined(query: SyncQuery, room: MemberState): boolean {
  if (query.since === null) return true;
  return room.position > query.since.roomserver && room.membershipBefore !== 'join';
}

/**
 * A joined room. One that is new to the client is told from its beginning; one that the user came back to
 * only from `since` on, so that nothing is told twice, but with all its state.
 */
export function joinRequest(query: SyncQuery, room: MemberState): RoomSyncRequest {
  const isNew = isNewlyJoined(query, room);
  return {
    roomId: room.roomId,
    since: isNew && !isComeBack(query, room) ? null : (query.since?.roomserver ?? null),
    until: query.until.roomserver,
    timelineLimit: query.filter.timelineLimit,
    ...(query.filter.timeline === undefined ? {} : { timelineFilter: query.filter.timeline }),
    lazyLoadMembers: query.filter.lazyLoadMembers,
    fullState: query.fullState || isNew,
    stateAfter: query.stateAfter,
  };
}

/** Whether there is a gap between what the client knew of the room and `since`. */
export function isComeBack(query: SyncQuery, { membershipBefore: before }: MemberState): boolean {
  return query.since !== null && (before === 'leave' || before === 'ban');
}

/**
 * A room that the user is out of, up to the event that says so. In a sync that goes on from another one the
 * other members are not listed anew: when a room of a thousand is evacuated, that would be a million events.
 */
export function leaveRequest(query: SyncQuery, room: MemberState): RoomSyncRequest {
  const { filter, since, fullState, stateAfter } = query;
  const wasJoined = room.membershipBefore === 'join';
  return {
    roomId: room.roomId,
    since: since?.roomserver ?? null,
    until: Math.min(room.position, query.until.roomserver),
    timelineLimit: filter.timelineLimit,
    ...(filter.timeline === undefined ? {} : { timelineFilter: filter.timeline }),
    lazyLoadMembers: filter.lazyLoadMembers || (since !== null && !fullState),
    fullState: fullState || (since !== null && !wasJoined),
    stateAfter,
  };
}
