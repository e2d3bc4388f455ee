import type { ListedRoom, Receipt } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { ToldRoom } from '../storage/connections.ts';
import { madeUpLeave } from '../sync/purged-room.ts';
import { tokenOf } from '../tokens.ts';
import { readExtensions } from './extensions.ts';
import { directRooms, makeLists } from './lists.ts';
import { type Plan, planRooms } from './plan.ts';
import { roomAnswer } from './room-answer.ts';
import { readRoomData, type RoomData } from './room-data.ts';
import { type StateConfig, textOf } from './selectors.ts';
import type { SlidingQuery, SlidingReads, Telling } from './sliding-query.ts';

export interface BuiltSliding {
  /** The answer without `pos`. */
  body: JsonObject;
  /** What the client knows of rooms when it has the answer, as far as that is another. */
  rooms: ToldRoom[];
  /** Those of the connection, and new ones behind them. */
  configs: string[];
  isEmpty: boolean;
  /** Whether the answer tells of rooms that the user is out of. */
  hasDepartures: boolean;
}

/** Makes one answer: everything up to `until`, in a number of queries that does not grow with the rooms. */
export async function buildSliding(reads: SlidingReads, query: SlidingQuery): Promise<BuiltSliding> {
  const { userId, since, until } = query;
  const [listed, direct] = await Promise.all([
    reads.roomserver.listedRooms(userId, since?.roomserver ?? null, until.roomserver),
    reads.userapi.accountData(userId, null, 'm.direct'),
  ]);
  const rooms = listed.sort(byActivity);
  const directs = directRooms(direct);
  const knownRooms = knownJoined(query, rooms);
  const [lists, receipts] = await Promise.all([
    makeLists(
      reads,
      query,
      rooms.filter(({ isKept }) => isKept),
      directs,
    ),
    newReceipts(reads, query, knownRooms),
  ]);
  const touched = new Set(receipts.filter((one) => one.userId === userId).map(({ roomId }) => roomId));
  const plan = planRooms(query, { rooms, wanted: lists.wanted, directs, touched });
  const data = await readRoomData(reads, query, plan.tellings);
  const { tellings } = plan;
  const eventIds = new Map(
    [...data.synced].map(([roomId, { timeline }]) => [roomId, new Set(timeline.map((one) => one.eventId))]),
  );
  const scope = { knownRooms, wanted: lists.wanted, tellings, receipts, eventIds };
  const extensions = await readExtensions(reads, query, scope);
  const answers = roomAnswers(query, plan, data);
  return {
    body: { lists: lists.answer, rooms: answers, extensions: extensions.answer },
    ...toldRooms(query, plan, data),
    isEmpty: Object.keys(answers).length === 0 && extensions.isEmpty,
    hasDepartures: plan.vanished.length > 0 || tellings.some(({ room }) => room.membership !== 'join'),
  };
}

function byActivity(one: ListedRoom, other: ListedRoom): number {
  return other.activity - one.activity || (one.roomId < other.roomId ? -1 : 1);
}

function knownJoined({ known }: SlidingQuery, rooms: readonly ListedRoom[]): Set<string> {
  const joined = rooms.filter(
    ({ roomId, membership }) => membership === 'join' && known.rooms.get(roomId)?.membership === 'join',
  );
  return new Set(joined.map(({ roomId }) => roomId));
}

/** Receipts that came in the rooms that the client knows since the last answer. */
async function newReceipts(
  { userapi }: SlidingReads,
  { userId, since, until }: SlidingQuery,
  knownRooms: ReadonlySet<string>,
): Promise<Receipt[]> {
  if (since === null || since.userapi >= until.userapi || knownRooms.size === 0) return [];
  const changed = await userapi.receiptRooms(since.userapi, until.userapi);
  const rooms = [...knownRooms].filter((roomId) => changed?.includes(roomId) ?? true);
  return userapi.receipts(
    userId,
    rooms.map((roomId) => ({ roomId, from: since.userapi })),
    until.userapi,
  );
}

function roomAnswers(query: SlidingQuery, { tellings, vanished }: Plan, data: RoomData): JsonObject {
  const answers: JsonObject = {};
  for (const telling of tellings) {
    const answer = roomAnswer(query, telling, data);
    if (answer !== undefined) answers[telling.room.roomId] = answer;
  }
  for (const { roomId, purgedTs } of vanished) {
    const position = query.known.rooms.get(roomId)?.toldUpTo ?? query.until.roomserver;
    const leave = madeUpLeave({ roomId, userId: query.userId, position }, purgedTs ?? Date.now());
    answers[roomId] = {
      membership: 'leave',
      bump_stamp: position,
      timeline: [leave],
      required_state: [leave],
      limited: false,
      prev_batch: tokenOf(position),
      num_live: 0,
    };
  }
  return answers;
}

function toldRooms(
  query: SlidingQuery,
  { tellings, vanished }: Plan,
  data: RoomData,
): Pick<BuiltSliding, 'rooms' | 'configs'> {
  const { known, until } = query;
  const configs = known.configs.map(textOf);
  const placeOf = (state: StateConfig): number => {
    const place = configs.indexOf(textOf(state));
    return place === -1 ? configs.push(textOf(state)) - 1 : place;
  };
  const shown = tellings.filter((telling) => isTold(telling, data));
  const told = shown.map((telling): ToldRoom => ({
    roomId: telling.room.roomId,
    membership: telling.room.membership,
    isGone: !telling.room.isKept,
    toldUpTo: until.roomserver,
    timelineLimit: limitOf(telling, data),
    config: placeOf(telling.state),
    bump: data.bumps.get(telling.room.roomId)?.position ?? telling.told?.bump ?? 0,
    isDm: telling.isDm,
    members: data.lazy.get(telling.room.roomId)?.known ?? [],
  }));
  const gone = vanished.flatMap(({ roomId }): ToldRoom[] => {
    const before = known.rooms.get(roomId);
    return before === undefined ? [] : [{ ...before, membership: 'leave', isGone: true }];
  });
  return { rooms: [...told, ...gone], configs };
}

/** An invite that is no more is told of by the next answer, as what it has become. */
function isTold({ room }: Telling, { stripped }: RoomData): boolean {
  const isPending = room.membership === 'invite' || room.membership === 'knock';
  return !isPending || stripped.has(room.roomId);
}

const everything = 1_000_000;

/** How many of the last events of the room the client has when it has the answer. */
function limitOf({ told, isExpanded, timelineLimit, room }: Telling, { synced }: RoomData): number {
  const isCut = synced.get(room.roomId)?.limited ?? false;
  if (told === undefined || isExpanded) return isCut ? timelineLimit : everything;
  return isCut ? timelineLimit : told.timelineLimit;
}
