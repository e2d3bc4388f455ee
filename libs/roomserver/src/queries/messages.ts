import { sql } from 'kysely';

import type { EventPage, RoomserverForClient, StoredEvent } from '@seneschal/contracts';

import { dress } from './dress.ts';
import { redactErased } from './erasure.ts';
import { filterCondition, passesContentFilter } from './event-filter.ts';
import { type EventRow, eventColumns, eventJoins, eventsAt, readEvents } from './event-rows.ts';
import { isIgnored, type Reader, type ReaderDeps, readerOf } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { type RoomHistories, loadHistories } from './room-history.ts';
import { bounded, type RoomView, viewRoom } from './room-view.ts';
import { memberPositions } from './state-positions.ts';

type PageRequest = Parameters<RoomserverForClient['messages']>[2];

/** A page with many events that the reader may not see is filled up with at most this many further queries. */
const maximumBatches = 8;

/**
 * A page of a room's events that the user may see, newest first ('b') or oldest first ('f'). A token is a
 * place between events: just after the event of that position.
 */
export async function messages(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  request: PageRequest,
): Promise<EventPage> {
  const view = await viewRoom(deps, roomId, userId);
  const reader = await readerOf(deps, userId);
  const histories = await loadHistories(deps, userId, [view.roomNid], Number.MAX_SAFE_INTEGER);
  const start = await startOf(deps, view, request);
  const page = await collect(deps, view, { ...request, from: start }, { reader, histories });
  await dress(deps, reader, request.deviceId, page.events);
  const members = request.lazyLoadMembers === true ? await senders(deps, userId, view, page.events) : [];
  return { start, events: page.events, members, ...(page.end === undefined ? {} : { end: page.end }) };
}

async function startOf(deps: QueryDeps, view: RoomView, request: PageRequest): Promise<number> {
  if (request.direction === 'f') return request.from ?? 0;
  if (request.from !== undefined) return Math.min(request.from, bounded(view.horizon));
  if (view.horizon !== Infinity) return view.horizon;
  const result = await sql<{ last_position: number }>`
    SELECT last_position FROM roomserver_rooms WHERE room_nid = ${view.roomNid}
  `.execute(deps.db);
  return result.rows[0]?.last_position ?? 0;
}

async function collect(
  deps: QueryDeps,
  view: RoomView,
  request: PageRequest & { from: number },
  { reader, histories }: { reader: Reader; histories: RoomHistories },
): Promise<{ events: StoredEvent[]; end?: number }> {
  const mayBeSeen = histories.filter(view.roomNid);
  const events: StoredEvent[] = [];
  let from = request.from;
  for (let batch = 0; batch < maximumBatches; batch += 1) {
    const wanted = request.limit - events.length;
    const rows = await readRows(deps, view, { ...request, from }, wanted + 1);
    const taken = rows.slice(0, wanted);
    for (const event of readEvents(deps, taken)) {
      const isWanted = passesContentFilter(event.pdu, request.filter) && !isIgnored(reader, event.pdu);
      if (isWanted && mayBeSeen(event.position, event.pdu)) events.push(event);
    }
    from = after(taken, request.direction) ?? from;
    if (rows.length <= wanted) return { events };
    if (events.length >= request.limit) break;
  }
  return { events, end: from };
}

function after(rows: readonly EventRow[], direction: 'b' | 'f'): number | undefined {
  const last = rows.at(-1)?.position;
  return last === undefined || direction === 'f' ? last : last - 1;
}

async function readRows(
  deps: QueryDeps,
  view: RoomView,
  request: PageRequest & { from: number },
  limit: number,
): Promise<EventRow[]> {
  const isBackwards = request.direction === 'b';
  const above = isBackwards ? (request.to ?? 0) : request.from;
  const upTo = isBackwards ? request.from : Math.min(request.to ?? Infinity, view.horizon);
  const order = isBackwards ? sql`DESC` : sql`ASC`;
  const result = await sql<EventRow>`
    SELECT ${eventColumns} FROM (
      SELECT e.* FROM roomserver_events e
      WHERE e.room_nid = ${view.roomNid} AND e.position > ${above} AND e.position <= ${bounded(upTo)}
        AND NOT e.is_outlier
        AND ${filterCondition(request.filter)}
      ORDER BY e.position ${order} LIMIT ${limit}
    ) AS e ${eventJoins} ORDER BY e.position ${order}
  `.execute(deps.db);
  return result.rows;
}

async function senders(
  deps: QueryDeps,
  userId: string,
  view: RoomView,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const bound = Math.max(0, ...events.map((event) => event.position));
  const userIds = events.map(({ pdu }) => pdu.sender);
  const positions = await memberPositions(deps, [{ roomNid: view.roomNid, bound, userIds }]);
  const members = await eventsAt(deps, positions);
  await redactErased(deps, userId, members);
  return members;
}
