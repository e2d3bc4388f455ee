import type { RoomSummary, RoomSync, RoomSyncRequest, StoredEvent } from '@seneschal/contracts';

import { dress } from './dress.ts';
import { redactErased } from './erasure.ts';
import { eventsAt } from './event-rows.ts';
import { type ReaderDeps, readerOf } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories, membershipAt, type RoomHistories, stateHorizon } from './room-history.ts';
import { readSummaries } from './room-summaries.ts';
import {
  allMemberPositions,
  changedMemberPositions,
  memberPositions,
  type MembersRange,
  statePositions,
  type StateRange,
  untimedPositions,
} from './state-positions.ts';
import { type LocatedRoom, locateRooms, readTimelines, type Timeline } from './sync-timelines.ts';

/** A room with the timeline that is told and the range of positions that its state is told for. */
interface RoomPlan {
  room: LocatedRoom;
  timeline: StoredEvent[];
  isLimited: boolean;
  previousBatch: number;
  isJoined: boolean;
  /** Undefined when no state is to be told. */
  state: StateRange | undefined;
}

/**
 * The timelines and state of any number of rooms for one sync, in a fixed number of queries. The timeline
 * ends at `until` and has no event that the user may not see: it starts after the last one of those, so that
 * state and timeline together are always the state the user may know.
 */
export async function syncRooms(
  deps: ReaderDeps,
  userId: string,
  deviceId: string,
  requests: readonly RoomSyncRequest[],
): Promise<RoomSync[]> {
  if (requests.length === 0) return [];
  const [rooms, reader] = await Promise.all([locateRooms(deps, userId, requests), readerOf(deps, userId)]);
  const timelines = await readTimelines(deps, reader, rooms);
  const histories = await loadNeededHistories(deps, userId, rooms, timelines);
  const plans = rooms.map((room) => plan(room, timelines.get(room.roomNid), histories));
  const summaries = await readSummaries(deps, userId, plans.filter(needsSummary));
  const told = plans.flatMap(({ timeline }) => timeline);
  const [state] = await Promise.all([
    readState(deps, userId, plans.filter(wantsState), summaries),
    dress(deps, reader, deviceId, told),
  ]);
  return plans.map(({ room, timeline, isLimited, previousBatch }) => {
    const summary = summaries.get(room.roomNid);
    return {
      roomId: room.request.roomId,
      timeline,
      limited: isLimited,
      previousBatch,
      state: state.get(room.request.roomId) ?? [],
      ...(summary === undefined ? {} : { summary }),
    };
  });
}

/** Whoever was joined throughout a timeline sees all of it; only the others need their history. */
async function loadNeededHistories(
  deps: QueryDeps,
  userId: string,
  rooms: readonly LocatedRoom[],
  timelines: ReadonlyMap<number, Timeline>,
): Promise<RoomHistories> {
  const needing = rooms.filter((room) => !isJoinedThroughout(room, timelines.get(room.roomNid)));
  const until = Math.max(0, ...needing.map(({ request }) => request.until));
  return loadHistories(
    deps,
    userId,
    needing.map((room) => room.roomNid),
    until,
  );
}

function isJoinedThroughout(room: LocatedRoom, timeline: Timeline | undefined): boolean {
  const start = timeline?.events[0]?.position ?? room.request.until + 1;
  return room.membership === 'join' && room.memberSince !== null && room.memberSince < start;
}

function plan(room: LocatedRoom, read: Timeline | undefined, histories: RoomHistories): RoomPlan {
  const { since, until, timelineFilter, fullState, stateAfter } = room.request;
  const found = read ?? { events: [], isCut: false };
  const isJoined = isJoinedThroughout(room, found) || isJoinedAt(room, histories);
  const timeline = isJoinedThroughout(room, found) ? found.events : visibleEnd(room, found.events, histories);
  const isLimited = found.isCut || timeline.length < found.events.length;
  const start = timeline[0]?.position;
  const beforeTimeline = start === undefined ? until : start - 1;
  const previousBatch = isLimited || since === null ? beforeTimeline : since;
  // What a filter keeps out of the timeline is told as state.
  const bound = timelineFilter === undefined && stateAfter !== true ? previousBatch : until;
  return {
    room,
    timeline,
    isLimited,
    previousBatch,
    isJoined,
    state: stateRange(room, isJoined, fullState ? 0 : (since ?? 0), bound, histories),
  };
}

function isJoinedAt({ roomNid, request }: LocatedRoom, histories: RoomHistories): boolean {
  return membershipAt(histories.of(roomNid).memberships, request.until)?.membership === 'join';
}

function visibleEnd(
  { roomNid }: LocatedRoom,
  events: StoredEvent[],
  histories: RoomHistories,
): StoredEvent[] {
  const mayBeSeen = histories.filter(roomNid);
  const hidden = events.findLastIndex(({ position, pdu }) => !mayBeSeen(position, pdu));
  return events.slice(hidden + 1);
}

function stateRange(
  room: LocatedRoom,
  isJoined: boolean,
  since: number,
  bound: number,
  histories: RoomHistories,
): StateRange | undefined {
  const horizon = isJoined ? Infinity : stateHorizon(histories.of(room.roomNid).memberships);
  const upTo = Math.min(bound, horizon ?? 0);
  return upTo > since ? { roomNid: room.roomNid, since, bound: upTo } : undefined;
}

function wantsState({ room }: RoomPlan): boolean {
  return room.request.withoutState !== true;
}

/** The state events of all rooms, without those that the timelines tell anyway, unless the state is that after the timeline. */
async function readState(
  deps: QueryDeps,
  userId: string,
  plans: readonly RoomPlan[],
  summaries: ReadonlyMap<number, RoomSummary>,
): Promise<Map<string, StoredEvent[]>> {
  const ranges = plans.flatMap(({ state }) => (state === undefined ? [] : [state]));
  const eager = plans.flatMap(({ state, room }) =>
    state === undefined || room.request.lazyLoadMembers ? [] : [state],
  );
  const positions = await Promise.all([
    statePositions(deps, ranges),
    allMemberPositions(
      deps,
      eager.filter(({ since }) => since === 0),
    ),
    changedMemberPositions(
      deps,
      eager.filter(({ since }) => since > 0),
    ),
    memberPositions(deps, plans.flatMap(lazyMembers(userId, summaries))),
    untimedPositions(deps, plans.filter(({ isJoined }) => isJoined).map(timelineRange)),
  ]);
  const before = plans.filter(({ room }) => room.request.stateAfter !== true);
  const told = new Set(before.flatMap(({ timeline }) => timeline.map(({ position }) => position)));
  const untold = [...new Set(positions.flat())].filter((position) => !told.has(position));
  const byRoom = new Map<string, StoredEvent[]>();
  const events = await eventsAt(deps, untold);
  await redactErased(deps, userId, events);
  for (const event of events) {
    const known = byRoom.get(event.roomId);
    if (known === undefined) byRoom.set(event.roomId, [event]);
    else known.push(event);
  }
  return byRoom;
}

function timelineRange({ room, previousBatch }: RoomPlan): StateRange {
  return { roomNid: room.roomNid, since: previousBatch, bound: room.request.until };
}

/** With lazy loading, the members of the timeline and, where there is other state to tell, user and heroes. */
function lazyMembers(
  userId: string,
  summaries: ReadonlyMap<number, RoomSummary>,
): (plan: RoomPlan) => MembersRange[] {
  return ({ room, timeline, state, isJoined, previousBatch }) => {
    if (!room.request.lazyLoadMembers) return [];
    const userIds = timeline.map(({ pdu }) => pdu.sender);
    if (state !== undefined) userIds.push(userId, ...(summaries.get(room.roomNid)?.heroes ?? []));
    const last = room.request.stateAfter === true ? room.request.until : previousBatch;
    const bound = isJoined ? last : (state?.bound ?? 0);
    return bound > 0 && userIds.length > 0 ? [{ roomNid: room.roomNid, bound, userIds }] : [];
  };
}

/** Where memberships may have changed: in the timeline, or before it. */
function needsSummary({ room, timeline, isJoined, isLimited }: RoomPlan): boolean {
  if (!isJoined) return false;
  const isWhole = room.request.since === null || room.request.fullState || isLimited;
  return isWhole || timeline.some(({ pdu }) => pdu.type === 'm.room.member');
}
