import type { MemberState, RoomSync } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { keyChanges } from '../queries/key-changes.ts';
import { syncTokenOf, toDeviceOf } from '../tokens.ts';
import { readEphemeral } from './ephemeral.ts';
import { joinedSection, leftRoom } from './joined-section.ts';
import { purgedRoom } from './purged-room.ts';
import { isNewlyJoined, joinRequest, leaveRequest, type RoomsBySection, sortRooms } from './room-requests.ts';
import type { AccountData, SyncQuery, SyncReads } from './sync-query.ts';

const mostMessages = 100;

export interface BuiltSync {
  body: JsonObject;
  /** Whether there is nothing in it that a client would want to be woken for. */
  isEmpty: boolean;
}

/** Makes the answer of one sync: everything up to `until`, nothing after, in a fixed number of queries. */
export async function buildSync(reads: SyncReads, query: SyncQuery): Promise<BuiltSync> {
  const changed = await changedRooms(reads, query);
  const [accountData, ephemeral] = await Promise.all([
    readAccountData(reads, query, changed),
    readEphemeral(reads, query, changed),
  ]);
  const sections = sortRooms(query, withQuietRooms(query, changed, accountData, ephemeral));
  const [rooms, devices, keys, toDevice] = await Promise.all([
    roomSections(reads, query, sections, { accountData, ephemeral }),
    query.since === null
      ? { changed: [], left: [] }
      : keyChanges(reads, query.userId, query.since, query.until),
    reads.userapi.keyCounts(query.userId, query.deviceId),
    toDeviceMessages(reads, query),
  ]);
  const globalAccountData = accountData
    .filter(({ roomId, type }) => roomId === null && query.filter.wantsAccountData(type))
    .map(({ type, content }) => ({ type, content }));
  const body = {
    next_batch: syncTokenOf({ ...query.until, toDevice: toDevice.upTo }),
    rooms,
    account_data: { events: globalAccountData },
    presence: { events: [] },
    to_device: { events: toDevice.messages.map(({ position: _, ...message }) => message) },
    device_lists: { changed: devices.changed, left: devices.left },
    // Named also when there are none left: some clients take a missing count for an unchanged one.
    device_one_time_keys_count: { signed_curve25519: 0, ...keys.oneTimeKeys },
    device_unused_fallback_key_types: keys.unusedFallbackKeyTypes,
  };
  const isEmpty =
    Object.values(rooms).every((section) => Object.keys(section).length === 0) &&
    globalAccountData.length + devices.changed.length + devices.left.length + toDevice.messages.length === 0;
  return { body, isEmpty };
}

/** As many as fit into one answer; nothing is asked where the log has not grown. */
async function toDeviceMessages(
  { userapi }: SyncReads,
  { userId, deviceId, since, until }: SyncQuery,
): ReturnType<SyncReads['userapi']['toDevice']> {
  const after = toDeviceOf(since);
  if (after >= until.userapi) return { messages: [], upTo: until.userapi };
  return userapi.toDevice({ userId, deviceId }, { after, upTo: until.userapi, limit: mostMessages });
}

async function changedRooms({ roomserver }: SyncReads, query: SyncQuery): Promise<MemberState[]> {
  const { since, until, userId, fullState } = query;
  if (since === null) return roomserver.changedRooms(userId, null, until.roomserver);
  if (!fullState && since.roomserver >= until.roomserver) return [];
  const changed = await roomserver.changedRooms(userId, since.roomserver, until.roomserver);
  if (!fullState) return changed;
  const known = new Set(changed.map(({ roomId }) => roomId));
  const all = await roomserver.changedRooms(userId, null, until.roomserver);
  const unchanged = all.filter(({ roomId }) => !known.has(roomId));
  return [...changed, ...unchanged.map((room) => ({ ...room, membershipBefore: room.membership }))];
}

/** What changed; for rooms that the user came into, all account data that there is. */
async function readAccountData(
  { userapi }: SyncReads,
  { since, until, userId, ...query }: SyncQuery,
  changed: readonly MemberState[],
): Promise<AccountData> {
  if (since === null || query.fullState) return userapi.accountDataBetween(userId, null, until.userapi);
  const isNew = (room: MemberState): boolean => isNewlyJoined({ since, until, userId, ...query }, room);
  const entered = new Set(
    changed.filter((room) => room.membership === 'join' && isNew(room)).map(({ roomId }) => roomId),
  );
  const recent =
    until.userapi > since.userapi
      ? await userapi.accountDataBetween(userId, since.userapi, until.userapi)
      : [];
  if (entered.size === 0) return recent;
  const all = await userapi.accountDataBetween(userId, null, until.userapi);
  const ofEntered = all.filter(({ roomId }) => roomId !== null && entered.has(roomId));
  return [...recent.filter(({ roomId }) => roomId === null || !entered.has(roomId)), ...ofEntered];
}

/** Adds the rooms in which nothing but account data, receipts or typing changed; whether the user is in them is checked later. */
function withQuietRooms(
  { userId, since }: SyncQuery,
  changed: readonly MemberState[],
  accountData: AccountData,
  ephemeral: ReadonlyMap<string, JsonObject[]>,
): MemberState[] {
  if (since === null) return [...changed];
  const known = new Set(changed.map(({ roomId }) => roomId));
  const withData = accountData.flatMap(({ roomId }) => (roomId === null ? [] : [roomId]));
  const quiet = new Set([...withData, ...ephemeral.keys()]);
  const added = [...quiet].filter((roomId) => !known.has(roomId));
  return [
    ...changed,
    ...added.map((roomId): MemberState => {
      return { roomId, userId, membership: 'join', position: 0, membershipBefore: 'join' };
    }),
  ];
}

type RoomSections = Record<'join' | 'invite' | 'knock' | 'leave', JsonObject>;

async function roomSections(
  { roomserver, unread }: SyncReads,
  query: SyncQuery,
  sections: RoomsBySection,
  told: { accountData: AccountData; ephemeral: ReadonlyMap<string, JsonObject[]> },
): Promise<RoomSections> {
  const { userId, deviceId } = query;
  const requests = [
    ...sections.join.filter(({ position }) => position > 0).map((room) => joinRequest(query, room)),
    ...sections.leave
      .filter(({ purgedTs }) => purgedTs === undefined)
      .map((room) => leaveRequest(query, room)),
  ];
  const pending = [...sections.invite, ...sections.knock].map(({ roomId }) => roomId);
  const joinedIds = sections.join.map(({ roomId }) => roomId);
  const [synced, stripped, joined, counts] = await Promise.all([
    roomserver.syncRooms(userId, deviceId, requests),
    roomserver.strippedState(userId, pending),
    sections.join.some(({ position }) => position === 0) ? roomserver.joinedRooms(userId) : [],
    unread.of(userId, joinedIds, query.until.roomserver),
  ]);
  const byRoom = new Map(synced.map((room) => [room.roomId, room]));
  const isIn = new Set(joined);
  const rooms = sections.join.filter(({ position, roomId }) => position > 0 || isIn.has(roomId));
  return {
    join: joinedSection(query, { rooms, ...told, counts, synced: byRoom }),
    invite: strippedSection(sections.invite, stripped, 'invite_state'),
    knock: strippedSection(sections.knock, stripped, 'knock_state'),
    leave: leaveSection(query, sections.leave, byRoom),
  };
}

/** Rooms that are not in `stripped` have moved on since `until`: the next sync tells where to. */
function strippedSection(
  rooms: readonly MemberState[],
  stripped: ReadonlyMap<string, JsonObject[]>,
  name: 'invite_state' | 'knock_state',
): JsonObject {
  const section: JsonObject = {};
  for (const { roomId } of rooms) {
    const events = stripped.get(roomId);
    if (events !== undefined) section[roomId] = { [name]: { events } };
  }
  return section;
}

function leaveSection(
  query: SyncQuery,
  rooms: readonly MemberState[],
  synced: ReadonlyMap<string, RoomSync>,
): JsonObject {
  const section: JsonObject = {};
  for (const room of rooms) {
    const found = synced.get(room.roomId);
    if (found !== undefined) section[room.roomId] = leftRoom(query, room, found);
    else if (room.purgedTs !== undefined)
      section[room.roomId] = purgedRoom(room, room.purgedTs, query.stateAfter);
  }
  return section;
}
