import { type RawBuilder, sql } from 'kysely';

import type { RelationsPage, RelationsRequest, StoredEvent } from '@seneschal/contracts';
import { notFound } from '@seneschal/matrix';

import { dress } from './dress.ts';
import { type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import { event as findEvent } from './event.ts';
import { isIgnored, type Reader, type ReaderDeps, readerOf } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories, type RoomHistories } from './room-history.ts';

/** How far relations of relations are followed, and from how many events at the most. */
const mostLevels = 3;
const mostFollowed = 10_000;
/** A page with many events that the reader may not see is filled up with at most this many further queries. */
const mostBatches = 8;

/**
 * The events that are related to one (client-server API, "Relationships API"), as far as the user may see them. A
 * token is a place between events, as those of messages are. M_NOT_FOUND when the user may not see the event.
 */
export async function relations(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  request: RelationsRequest,
): Promise<RelationsPage> {
  const { eventId, deviceId } = request;
  const parent = await findEvent(deps, roomId, userId, eventId, deviceId);
  if (parent === undefined) throw notFound('There is no such event that you may see.');
  const roomNid = await roomNidOf(deps, eventId);
  const reader = await readerOf(deps, userId);
  const histories = await loadHistories(deps, userId, [roomNid], Number.MAX_SAFE_INTEGER);
  const page = await collect(deps, roomNid, request, { reader, histories });
  await dress(deps, reader, deviceId, page.events);
  return { ...page, levels: request.recurse ? mostLevels : 1 };
}

async function roomNidOf(deps: QueryDeps, eventId: string): Promise<number> {
  const found = await deps.db
    .selectFrom('roomserver_events')
    .select('room_nid')
    .where('event_id', '=', eventId)
    .executeTakeFirst();
  return found?.room_nid ?? 0;
}

async function collect(
  deps: QueryDeps,
  roomNid: number,
  request: RelationsRequest,
  { reader, histories }: { reader: Reader; histories: RoomHistories },
): Promise<{ events: StoredEvent[]; end?: number }> {
  const mayBeSeen = histories.filter(roomNid);
  const events: StoredEvent[] = [];
  let from = request.from;
  for (let batch = 0; batch < mostBatches; batch += 1) {
    const wanted = request.limit - events.length;
    const rows = await readRows(deps, roomNid, { ...request, from }, wanted + 1);
    const taken = rows.slice(0, wanted);
    const seen = readEvents(deps, taken).filter(({ position, pdu }) => mayBeSeen(position, pdu));
    events.push(...seen.filter(({ pdu }) => !isIgnored(reader, pdu)));
    const last = taken.at(-1)?.position;
    if (last !== undefined) from = request.direction === 'b' ? last - 1 : last;
    if (rows.length <= wanted) return { events };
    if (events.length >= request.limit) break;
  }
  return { events, ...(from === undefined ? {} : { end: from }) };
}

async function readRows(
  deps: QueryDeps,
  roomNid: number,
  request: RelationsRequest,
  limit: number,
): Promise<EventRow[]> {
  const { direction, relType, eventType } = request;
  const isBackwards = direction === 'b';
  const above = (isBackwards ? request.to : request.from) ?? 0;
  const upTo = (isBackwards ? request.from : request.to) ?? Number.MAX_SAFE_INTEGER;
  const order = isBackwards ? sql`DESC` : sql`ASC`;
  const result = await sql<EventRow>`
    ${related(request, roomNid)}
    SELECT ${eventColumns} FROM (
      SELECT e.* FROM roomserver_events e
      WHERE ${isRelated(request)} AND e.room_nid = ${roomNid} AND e.position > ${above} AND e.position <= ${upTo}
        AND e.rel_type IS NOT NULL
        AND (${relType ?? null}::text IS NULL OR e.rel_type = ${relType ?? null})
        AND (${eventType ?? null}::text IS NULL OR e.type = ${eventType ?? null})
      ORDER BY e.position ${order} LIMIT ${limit}
    ) AS e ${eventJoins} ORDER BY e.position ${order}
  `.execute(deps.db);
  return result.rows;
}

/** With recursion all related events, whatever their types: the filters are for what is answered. */
function related({ eventId, recurse }: RelationsRequest, roomNid: number): RawBuilder<unknown> {
  if (!recurse) return sql``;
  return sql`WITH RECURSIVE related (event_id, position, level) AS (
    SELECT event_id, position, 1 FROM roomserver_events WHERE relates_to = ${eventId} AND room_nid = ${roomNid}
    UNION
    SELECT e.event_id, e.position, related.level + 1 FROM related
    JOIN roomserver_events e ON e.relates_to = related.event_id AND e.room_nid = ${roomNid}
    WHERE related.level < ${mostLevels}
  )`;
}

function isRelated({ eventId, recurse }: RelationsRequest): RawBuilder<unknown> {
  return recurse
    ? sql`e.position IN (SELECT position FROM related LIMIT ${mostFollowed})`
    : sql`e.relates_to = ${eventId}`;
}
