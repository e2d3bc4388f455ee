import type { MemberState, RoomSync } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { syncEvents } from '../client-event.ts';
import { tokenOf } from '../tokens.ts';
import { isComeBack, isNewlyJoined } from './room-requests.ts';
import type { AccountData, SyncQuery } from './sync-query.ts';

interface JoinedParts {
  rooms: readonly MemberState[];
  /** Room account data to tell, of any room. */
  accountData: AccountData;
  synced: ReadonlyMap<string, RoomSync>;
}

/** `rooms.join`: the rooms that have anything to tell. */
export function joinedSection(query: SyncQuery, parts: JoinedParts): JsonObject {
  const section: JsonObject = {};
  const accountData = accountDataByRoom(query, parts.accountData);
  for (const room of parts.rooms) {
    const own = accountData.get(room.roomId) ?? [];
    const joined = joinedRoom(query, room, parts.synced.get(room.roomId), own);
    if (joined !== undefined) section[room.roomId] = joined;
  }
  return section;
}

function accountDataByRoom(query: SyncQuery, accountData: AccountData): Map<string, JsonObject[]> {
  const byRoom = new Map<string, JsonObject[]>();
  for (const { roomId, type, content } of accountData) {
    if (roomId === null || !query.filter.wantsRoomAccountData(type)) continue;
    const known = byRoom.get(roomId) ?? [];
    known.push({ type, content });
    byRoom.set(roomId, known);
  }
  return byRoom;
}

function joinedRoom(
  query: SyncQuery,
  room: MemberState,
  synced: RoomSync | undefined,
  accountData: JsonObject[],
): JsonObject | undefined {
  const { timeline = [], state = [], limited = false, previousBatch, summary } = synced ?? {};
  const wanted = state.filter(({ pdu }) => query.filter.wantsState(pdu));
  const isQuiet = timeline.length === 0 && wanted.length === 0 && accountData.length === 0 && !limited;
  if (isQuiet && !query.fullState && !isNewlyJoined(query, room)) return undefined;
  return {
    timeline: {
      events: syncEvents(timeline),
      limited: limited || isComeBack(query, room),
      prev_batch: tokenOf(previousBatch ?? query.until.roomserver),
    },
    state: { events: syncEvents(wanted) },
    summary: toSummary(summary),
    account_data: { events: accountData },
    ephemeral: { events: [] },
    unread_notifications: { highlight_count: 0, notification_count: 0 },
  };
}

function toSummary(summary: RoomSync['summary']): JsonObject {
  if (summary === undefined) return {};
  return {
    'm.joined_member_count': summary.joinedMembers,
    'm.invited_member_count': summary.invitedMembers,
    ...(summary.heroes === undefined ? {} : { 'm.heroes': summary.heroes }),
  };
}

/** One room of `rooms.leave`. */
export function leftRoom(query: SyncQuery, synced: RoomSync): JsonObject {
  return {
    timeline: {
      events: syncEvents(synced.timeline),
      limited: synced.limited,
      prev_batch: tokenOf(synced.previousBatch),
    },
    state: { events: syncEvents(synced.state.filter(({ pdu }) => query.filter.wantsState(pdu))) },
    account_data: { events: [] },
  };
}
