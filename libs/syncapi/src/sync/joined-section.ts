import type { MemberState, RoomSync, StoredEvent } from '@seneschal/contracts';
import type { JsonObject, Pdu } from '@seneschal/matrix';

import { syncEvents } from '../client-event.ts';
import { tokenOf } from '../tokens.ts';
import { isComeBack, isNewlyJoined } from './room-requests.ts';
import type { AccountData, SyncQuery } from './sync-query.ts';
import { type Counts, total, type Unread } from './unread.ts';

interface JoinedParts {
  rooms: readonly MemberState[];
  /** Room account data to tell, of any room. */
  accountData: AccountData;
  synced: ReadonlyMap<string, RoomSync>;
  ephemeral: ReadonlyMap<string, JsonObject[]>;
  counts: ReadonlyMap<string, Unread>;
}

/** What one room has to tell beside its events. */
interface Beside {
  accountData: JsonObject[];
  ephemeral: JsonObject[];
  unread: Unread | undefined;
}

/** `rooms.join`: the rooms that have anything to tell. */
export function joinedSection(query: SyncQuery, parts: JoinedParts): JsonObject {
  const section: JsonObject = {};
  const accountData = accountDataByRoom(query, parts.accountData);
  for (const room of parts.rooms) {
    const joined = joinedRoom(query, room, parts.synced.get(room.roomId), {
      accountData: accountData.get(room.roomId) ?? [],
      ephemeral: parts.ephemeral.get(room.roomId) ?? [],
      unread: parts.counts.get(room.roomId),
    });
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
  { accountData, ephemeral, unread }: Beside,
): JsonObject | undefined {
  const { timeline = [], state = [], limited = false, previousBatch, summary } = synced ?? {};
  const wanted = state.filter(({ pdu }) => query.filter.wantsState(pdu));
  const isQuiet = timeline.length + wanted.length + accountData.length + ephemeral.length === 0 && !limited;
  if (isQuiet && !query.fullState && !isNewlyJoined(query, room)) return undefined;
  return {
    timeline: {
      events: syncEvents(timeline),
      limited: limited || isComeBack(query, room),
      prev_batch: tokenOf(previousBatch ?? query.until.roomserver),
    },
    ...stateSection(query, wanted),
    summary: toSummary(summary),
    account_data: { events: accountData },
    ephemeral: { events: ephemeral },
    ...unreadSection(query, unread),
  };
}

/** `state`, or `state_after` where that was asked for: the one or the other, be it empty or not. */
function stateSection(
  { stateAfter }: Pick<SyncQuery, 'stateAfter'>,
  state: readonly StoredEvent[],
): JsonObject {
  return { [stateAfter === true ? 'state_after' : 'state']: { events: syncEvents(state) } };
}

function unreadSection(
  { filter }: SyncQuery,
  unread: Unread = { main: { notifications: 0, highlights: 0 }, threads: new Map() },
): JsonObject {
  const shown = ({ notifications, highlights }: Counts): JsonObject => ({
    highlight_count: highlights,
    notification_count: notifications,
  });
  if (!filter.countsThreads) return { unread_notifications: shown(total(unread)) };
  const threads = Object.fromEntries([...unread.threads].map(([root, counts]) => [root, shown(counts)]));
  return { unread_notifications: shown(unread.main), unread_thread_notifications: threads };
}

function toSummary(summary: RoomSync['summary']): JsonObject {
  if (summary === undefined) return {};
  return {
    'm.joined_member_count': summary.joinedMembers,
    'm.invited_member_count': summary.invitedMembers,
    ...(summary.heroes === undefined ? {} : { 'm.heroes': summary.heroes }),
  };
}

/** One room of `rooms.leave`. One that the user came back to meanwhile has a gap before the timeline. */
export function leftRoom(query: SyncQuery, room: MemberState, synced: RoomSync): JsonObject {
  const isGap = isComeBack(query, room) && synced.timeline.some(({ pdu }) => isJoinOf(query.userId, pdu));
  return {
    timeline: {
      events: syncEvents(synced.timeline),
      limited: synced.limited || isGap,
      prev_batch: tokenOf(synced.previousBatch),
    },
    ...stateSection(
      query,
      synced.state.filter(({ pdu }) => query.filter.wantsState(pdu)),
    ),
    account_data: { events: [] },
  };
}

function isJoinOf(userId: string, { type, state_key: stateKey, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === userId && content['membership'] === 'join';
}
