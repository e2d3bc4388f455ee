import type {
  ListedRoom,
  RoomTraits,
  SlidingFilters,
  SlidingList,
  SlidingSyncBody,
} from '@seneschal/contracts';
import { invalidParam, isJsonObject, type JsonObject, own } from '@seneschal/matrix';

import type { SlidingQuery, SlidingReads, Wanted } from './sliding-query.ts';
import { stateConfig } from './selectors.ts';

export interface Lists {
  /** The part `lists` of the answer. */
  answer: JsonObject;
  /** By room. */
  wanted: Map<string, Wanted>;
}

const largestTimeline = 100;

const mostLists = 100;
const mostSubscriptions = 100;

/** Throws M_INVALID_PARAM for more than a client may ask for at once. */
export function checkBounds({ lists, room_subscriptions: subscriptions }: SlidingSyncBody): void {
  if (Object.keys(lists).length > mostLists) throw invalidParam(`There are more than ${mostLists} lists.`);
  if (Object.keys(subscriptions).length > mostSubscriptions)
    throw invalidParam(`There are more than ${mostSubscriptions} subscriptions.`);
  for (const [name, { ranges = [] }] of Object.entries(lists)) {
    const sorted = [...ranges].sort(([one], [other]) => one - other);
    const isBroken = sorted.some(([from, to], index) => to < from || from <= (sorted[index - 1]?.[1] ?? -1));
    if (isBroken) throw invalidParam(`The ranges of the list ${name} overlap, or end before they begin.`);
  }
}

/** What of the rooms, the one with the newest event first, stands in the windows of the lists or is subscribed to. */
export async function makeLists(
  reads: SlidingReads,
  query: SlidingQuery,
  rooms: readonly ListedRoom[],
  directs: ReadonlySet<string>,
): Promise<Lists> {
  const { body, userId } = query;
  const passes = await filtersOf(reads, query, rooms, directs);
  const answer: JsonObject = {};
  const byRoom = new Map<string, { lists: string[]; configs: Pick<SlidingList, RoomConfigKey>[] }>();
  const want = (roomId: string, config: Pick<SlidingList, RoomConfigKey>, name?: string): void => {
    const known = byRoom.get(roomId) ?? { lists: [], configs: [] };
    byRoom.set(roomId, known);
    known.configs.push(config);
    if (name !== undefined) known.lists.push(name);
  };
  for (const [name, list] of Object.entries(body.lists)) {
    const listed = rooms.filter((room) => passes(room, list.filters ?? {}));
    const windows = windowsOf(list, listed.length);
    const shown = windows.map(([from, to]) => listed.slice(from, to + 1).map(({ roomId }) => roomId));
    for (const roomId of new Set(shown.flat())) want(roomId, list, name);
    answer[name] = {
      count: listed.length,
      ops: windows.map((range, index) => ({ op: 'SYNC', range, room_ids: shown[index] ?? [] })),
    };
  }
  for (const [roomId, config] of Object.entries(body.room_subscriptions)) want(roomId, config);
  const wanted = new Map<string, Wanted>();
  for (const room of rooms) {
    const found = byRoom.get(room.roomId);
    if (found === undefined) continue;
    const limits = found.configs.map((config) => config.timeline_limit);
    const state = stateConfig(
      userId,
      found.configs.map((config) => config.required_state),
    );
    const timelineLimit = Math.min(Math.max(...limits), largestTimeline);
    wanted.set(room.roomId, { room, timelineLimit, state, lists: found.lists });
  }
  return { answer, wanted };
}

type RoomConfigKey = 'timeline_limit' | 'required_state';

/** The ranges as far as there are rooms; the whole list where none is given. */
function windowsOf({ ranges, slow_get_all_rooms: isWhole }: SlidingList, count: number): [number, number][] {
  if (ranges === undefined || isWhole === true) return count === 0 ? [] : [[0, count - 1]];
  return ranges.filter(([from]) => from < count).map(([from, to]) => [from, Math.min(to, count - 1)]);
}

type Filter = (room: ListedRoom, filters: SlidingFilters) => boolean;

/** Only what any of the lists filters by is asked for. */
async function filtersOf(
  { roomserver, userapi }: SlidingReads,
  { body, userId, until }: SlidingQuery,
  rooms: readonly ListedRoom[],
  directs: ReadonlySet<string>,
): Promise<Filter> {
  const all = Object.values(body.lists).map(({ filters }) => filters ?? {});
  const byTraits = all.some(
    ({ is_encrypted: encrypted, room_types: only, not_room_types: not }) =>
      typeof encrypted === 'boolean' || only !== undefined || not !== undefined,
  );
  const byTags = all.some(({ tags, not_tags: not }) => Array.isArray(tags) || Array.isArray(not));
  const spaces = [...new Set(all.flatMap((filters) => filters.spaces ?? []))];
  const roomIds = rooms.map(({ roomId }) => roomId);
  const [traits, accountData, inSpace] = await Promise.all([
    byTraits ? roomserver.roomTraits(userId, roomIds) : new Map<string, RoomTraits>(),
    byTags ? userapi.accountDataBetween(userId, null, until.userapi) : [],
    roomserver.roomsInSpaces(userId, spaces),
  ]);
  const tags = new Map(
    accountData.flatMap(({ roomId, type, content }) => {
      const named = own(content, 'tags');
      return roomId !== null && type === 'm.tag' && isJsonObject(named) ? [[roomId, Object.keys(named)]] : [];
    }),
  );
  return ({ roomId, membership }, filters) =>
    is(filters.is_dm, directs.has(roomId)) &&
    is(filters.is_invite, membership === 'invite') &&
    hasTraits(traits.get(roomId), filters) &&
    hasTags(tags.get(roomId) ?? [], filters) &&
    (filters.spaces?.some((space) => inSpace.get(space)?.has(roomId)) ?? true);
}

function is(wanted: boolean | null | undefined, value: boolean): boolean {
  return typeof wanted !== 'boolean' || wanted === value;
}

function hasTraits(traits: RoomTraits | undefined, filters: SlidingFilters): boolean {
  const { is_encrypted: encrypted, room_types: only, not_room_types: not } = filters;
  const type = traits?.type;
  if (!is(encrypted, traits?.isEncrypted === true)) return false;
  if (only !== undefined && (type === undefined || !only.includes(type))) return false;
  return not === undefined || type === undefined || !not.includes(type);
}

function hasTags(tags: readonly string[], { tags: only, not_tags: not }: SlidingFilters): boolean {
  if (not?.some((tag) => tags.includes(tag)) === true) return false;
  return only?.some((tag) => tags.includes(tag)) ?? true;
}

/** The rooms of `m.direct`. */
export function directRooms(content: JsonObject | undefined): Set<string> {
  const rooms = Object.values(content ?? {}).flatMap((named) => (Array.isArray(named) ? named : []));
  return new Set(rooms.filter((roomId): roomId is string => typeof roomId === 'string'));
}
