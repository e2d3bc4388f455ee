import type { MemberState, Receipt } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { Typing } from '../typing/typing.ts';
import { isNewlyJoined } from './room-requests.ts';
import type { SyncQuery, SyncReads } from './sync-query.ts';

export type TypingReads = Pick<Typing, 'changedRooms' | 'typists'>;

/**
 * What is told of rooms beside their events, by room: read receipts and who is typing (client-server API,
 * `m.receipt`, `m.typing`). Only of rooms that the user is joined to, and nothing of users whom the user ignores.
 */
export async function readEphemeral(
  reads: SyncReads,
  query: SyncQuery,
  changed: readonly MemberState[],
): Promise<Map<string, JsonObject[]>> {
  const { userId, since, until, filter } = query;
  const joined = changed.filter(({ membership }) => membership === 'join');
  const fresh = new Set(joined.filter((room) => isNewlyJoined(query, room)).map(({ roomId }) => roomId));
  const [reading, typing] = await Promise.all([
    since === null ? [] : reads.userapi.receiptRooms(since.userapi, until.userapi),
    reads.typing.changedRooms(since === null ? null : (since.typing ?? 0), until.typing ?? 0),
  ]);
  const typed = new Set(typing);
  const rooms = await wantedRooms(reads, query, { joined, fresh, reading, typed });
  const [receipts, typists] = await Promise.all([
    reads.userapi.receipts(
      userId,
      rooms.map((roomId) => ({ roomId, from: fresh.has(roomId) ? 0 : (since?.userapi ?? 0) })),
      until.userapi,
    ),
    reads.typing.typists(
      rooms.filter((roomId) => typed.has(roomId)),
      until.typing ?? 0,
    ),
  ]);
  const events = new Map<string, JsonObject[]>();
  const add = (roomId: string, event: JsonObject): void => {
    if (filter.wantsEphemeral(event['type'] as string))
      events.set(roomId, [...(events.get(roomId) ?? []), event]);
  };
  for (const [roomId, content] of receiptContents(receipts)) add(roomId, { type: 'm.receipt', content });
  const ignored = new Set(typists.size === 0 ? [] : await reads.userapi.ignoredUsers(userId));
  for (const [roomId, all] of typists) {
    const userIds = all.filter((typist) => !ignored.has(typist));
    if (since !== null || userIds.length > 0)
      add(roomId, { type: 'm.typing', content: { user_ids: userIds } });
  }
  return events;
}

interface Candidates {
  joined: readonly MemberState[];
  fresh: ReadonlySet<string>;
  /** Undefined when there are too many to name. */
  reading: readonly string[] | undefined;
  typed: ReadonlySet<string>;
}

/** Whether the user is in the rooms where something may have changed is asked once, and only when there are any. */
async function wantedRooms(reads: SyncReads, query: SyncQuery, given: Candidates): Promise<string[]> {
  const { joined, fresh, reading, typed } = given;
  if (query.since === null)
    return joined.map(({ roomId }) => roomId).filter((roomId) => query.filter.wantsRoom(roomId));
  const touched = [...(reading ?? []), ...typed];
  if (reading !== undefined && touched.length === 0) return [...fresh];
  const all = await reads.roomserver.joinedRooms(query.userId);
  const isIn = new Set(all);
  const wanted = reading === undefined ? all : touched.filter((roomId) => isIn.has(roomId));
  return [...new Set([...fresh, ...wanted])].filter((roomId) => query.filter.wantsRoom(roomId));
}

/** The content of `m.receipt` by room. */
export function receiptContents(receipts: readonly Receipt[]): Map<string, JsonObject> {
  const rooms = new Map<string, JsonObject>();
  for (const { roomId, eventId, type, userId, ts, threadId } of receipts) {
    const content = rooms.get(roomId) ?? {};
    rooms.set(roomId, content);
    const ofEvent = (content[eventId] ??= {}) as Record<string, JsonObject>;
    const ofType = (ofEvent[type] ??= {});
    // A user may have read up to one event by several threads: the receipt that holds for all says most.
    const known = ofType[userId] as JsonObject | undefined;
    if (known !== undefined && !('thread_id' in known)) continue;
    ofType[userId] = threadId === null ? { ts } : { ts, thread_id: threadId };
  }
  return rooms;
}
