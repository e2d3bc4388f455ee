import type { BumpStamp, RoomSync, RoomSyncRequest, StateRequest, StoredEvent } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { Unread } from '../sync/unread.ts';
import { selectorsOf } from './selectors.ts';
import type { SlidingQuery, SlidingReads, Telling } from './sliding-query.ts';

/** What is read of the rooms that an answer tells of, each by room. */
export interface RoomData {
  synced: ReadonlyMap<string, RoomSync>;
  /** State that is new to the client, that which is asked for and what the room is called by. */
  state: ReadonlyMap<string, StoredEvent[]>;
  /** Membership events of users of the timeline whom the client was not told of, and of the heroes. */
  members: ReadonlyMap<string, StoredEvent[]>;
  /** Whose membership events are told because of the timeline. */
  lazy: ReadonlyMap<string, LazyMembers>;
  stripped: ReadonlyMap<string, JsonObject[]>;
  bumps: ReadonlyMap<string, BumpStamp>;
  unread: ReadonlyMap<string, Unread>;
}

export interface LazyMembers {
  /** To be told now. */
  fresh: string[];
  /** What the client knows afterwards. */
  known: string[];
}

const memberType = 'm.room.member';
const names = [JSON.stringify(['m.room.name', '']), JSON.stringify(['m.room.avatar', ''])];
/** Of so many users of a room is remembered that the client knows them; of others it is told again. */
const mostMembers = 100;

/** Everything that is told of the rooms, in a fixed number of queries whatever there are. */
export async function readRoomData(
  reads: SlidingReads,
  query: SlidingQuery,
  tellings: readonly Telling[],
): Promise<RoomData> {
  const { roomserver, unread } = reads;
  const { userId, deviceId, until } = query;
  const inRoom = tellings.filter(({ room }) => room.membership === 'join');
  const joined = inRoom.map(({ room }) => room.roomId);
  const pending = tellings.filter(({ room }) => room.membership === 'invite' || room.membership === 'knock');
  const whole = tellings.filter((telling) => !pending.includes(telling));
  const [rooms, stripped, bumps, counts] = await Promise.all([
    roomserver.syncRooms(
      userId,
      deviceId,
      whole.map((telling) => timelineRequest(telling, until.roomserver)),
    ),
    roomserver.strippedState(
      userId,
      pending.map(({ room }) => room.roomId),
    ),
    roomserver.bumpStamps(userId, joined, until.roomserver),
    unread.of(userId, joined, until.roomserver),
  ]);
  const synced = new Map(rooms.map((room) => [room.roomId, room]));
  const lazy = await lazyMembers(reads, inRoom, synced);
  const [state, members] = await Promise.all([
    roomserver.requiredState(
      userId,
      whole.flatMap((telling) => stateRequests(query, telling, synced.get(telling.room.roomId))),
    ),
    roomserver.requiredState(
      userId,
      inRoom.map(({ room: { roomId } }): StateRequest => {
        const heroes = synced.get(roomId)?.summary?.heroes ?? [];
        const users = new Set([...heroes, ...(lazy.get(roomId)?.fresh ?? [])]);
        const selectors = [...users].map((stateKey) => ({ type: memberType, stateKey }));
        return { roomId, since: 0, until: until.roomserver, selectors };
      }),
    ),
  ]);
  return { synced, state, members, lazy, stripped, bumps, unread: counts };
}

function timelineRequest({ room, told, isExpanded, timelineLimit }: Telling, until: number): RoomSyncRequest {
  return {
    roomId: room.roomId,
    since: isExpanded ? null : (told?.toldUpTo ?? null),
    until: room.membership === 'join' ? until : Math.min(room.position, until),
    timelineLimit,
    lazyLoadMembers: false,
    fullState: false,
    withoutState: true,
  };
}

/** State that changed, and all of that which is asked for only now. */
function stateRequests(
  { userId, until }: SlidingQuery,
  { room, told, state, added }: Telling,
  synced: RoomSync | undefined,
): StateRequest[] {
  const { roomId } = room;
  const own = { type: memberType, stateKey: userId };
  const isOut = room.membership !== 'join';
  const membership = { roomId, since: 0, until: room.position, selectors: [own] };
  // Who comes to know a room only when out of it is told of that alone.
  if (isOut && told?.membership !== 'join') return [membership];
  const upTo = Math.min(isOut ? room.knownUpTo : until.roomserver, until.roomserver);
  const selectors = selectorsOf([...state.pairs, ...names]);
  // Who is told of some members is told of all that changes, as long as nothing is left out.
  if (state.isLazy && told !== undefined && synced?.limited === false)
    selectors.push({ type: memberType, stateKey: null });
  const since = told?.toldUpTo ?? 0;
  return [
    ...(isOut ? [membership] : []),
    { roomId, since, until: upTo, selectors },
    { roomId, since: 0, until: upTo, selectors: selectorsOf(added) },
  ];
}

/** MSC4186, "Lazy loaded memberships": whom the timeline speaks of. */
async function lazyMembers(
  reads: SlidingReads,
  tellings: readonly Telling[],
  synced: ReadonlyMap<string, RoomSync>,
): Promise<Map<string, LazyMembers>> {
  const lazy = tellings.filter(({ state }) => state.isLazy);
  const known = await reads.toldMembers(
    lazy.flatMap(({ room, told }) => (told === undefined ? [] : [room.roomId])),
  );
  return new Map(
    lazy.map(({ room: { roomId } }) => {
      const { timeline = [], limited = false } = synced.get(roomId) ?? {};
      const before = limited ? [] : (known.get(roomId) ?? []);
      const users = new Set(timeline.flatMap(({ pdu }) => usersOf(pdu)));
      const fresh = [...users].filter((user) => !before.includes(user));
      return [roomId, { fresh, known: [...before, ...fresh].slice(-mostMembers) }];
    }),
  );
}

function usersOf({ type, sender, state_key: target }: StoredEvent['pdu']): string[] {
  return type === memberType && target !== undefined ? [sender, target] : [sender];
}
