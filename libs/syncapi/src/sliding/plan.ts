import type { ListedRoom } from '@seneschal/contracts';

import type { ToldRoom } from '../storage/connections.ts';
import { addedPairs, stateConfig } from './selectors.ts';
import type { SlidingQuery, Telling, Wanted } from './sliding-query.ts';

/** Rooms of one answer; what is left comes with the next one. */
const mostRooms = 1000;
/** A room that the user is out of is told up to the end, with so many events. */
const lastEvents = 10;

export interface Plan {
  tellings: Telling[];
  /** Rooms that the client was told of, and of which nothing is known (any more) that the user may see. */
  vanished: { roomId: string; purgedTs: number | undefined }[];
}

/** Which rooms the answer tells of, and how. `touched` are rooms whose unread counts may have changed. */
export function planRooms(
  query: SlidingQuery,
  given: {
    rooms: readonly ListedRoom[];
    wanted: ReadonlyMap<string, Wanted>;
    directs: ReadonlySet<string>;
    touched: ReadonlySet<string>;
  },
): Plan {
  const { rooms, directs } = given;
  const { known } = query;
  const tellings = rooms.flatMap((room): Telling[] => {
    const told = known.rooms.get(room.roomId);
    const wanted = given.wanted.get(room.roomId) ?? departure(room, told, query);
    if (wanted === undefined || room.purgedTs !== undefined) return [];
    const is = { isDm: directs.has(room.roomId), isTouched: given.touched.has(room.roomId) };
    const telling = { ...tellingOf(query, wanted, told), ...is };
    return hasNews(telling) ? [telling] : [];
  });
  const listed = new Map(rooms.map((room) => [room.roomId, room]));
  const missing = [...known.rooms.values()].filter(({ roomId, isGone }) => !isGone && !listed.has(roomId));
  const purged = rooms.filter(({ purgedTs }) => purgedTs !== undefined);
  return {
    tellings: tellings.slice(0, mostRooms),
    vanished: [
      ...purged.map(({ roomId, purgedTs }) => ({ roomId, purgedTs })),
      ...missing.map(({ roomId }) => ({ roomId, purgedTs: undefined })),
    ],
  };
}

/** A room that the client was told of and the user has left is told of once, whatever is asked for. */
function departure(
  room: ListedRoom,
  told: ToldRoom | undefined,
  { userId }: SlidingQuery,
): Wanted | undefined {
  const isOut = room.membership === 'leave' || room.membership === 'ban';
  if (!isOut || told === undefined || told.isGone || told.membership === room.membership) return undefined;
  return { room, timelineLimit: lastEvents, state: stateConfig(userId, []), lists: [] };
}

function tellingOf(
  { known }: SlidingQuery,
  wanted: Wanted,
  told: ToldRoom | undefined,
): Omit<Telling, 'isDm' | 'isTouched'> {
  const { room, timelineLimit, state } = wanted;
  const isIn = room.membership === 'join';
  // What came before the user was in, and before a break in that, is not what the client needs.
  const isAnother = isIn && told !== undefined && (told.membership !== 'join' || room.since > told.toldUpTo);
  const isInitial = told === undefined || told.isGone || isAnother;
  const before = isInitial ? undefined : known.configs[told.config];
  return {
    ...wanted,
    told: isInitial ? undefined : told,
    isInitial,
    isExpanded: isIn && !isInitial && timelineLimit > told.timelineLimit,
    added: before === undefined ? [] : addedPairs(state, before),
  };
}

function hasNews({ room, told, isInitial, isExpanded, added, isDm, isTouched }: Telling): boolean {
  if (isInitial || told === undefined) return true;
  if (room.membership !== 'join') return room.position > told.toldUpTo || room.membership !== told.membership;
  const hasMore = room.activity > told.toldUpTo || isExpanded || added.length > 0;
  return hasMore || isDm !== told.isDm || isTouched;
}
