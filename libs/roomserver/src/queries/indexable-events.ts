import { type RawBuilder, sql } from 'kysely';

import type { IndexableEvent, RoomserverForSearch } from '@seneschal/contracts';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';

interface Row {
  position: number;
  room_id: string;
  event_id: string;
  type: string;
  json: string;
  redacted_by: number | null;
}

type PageRequest = Parameters<RoomserverForSearch['eventsOfTypes']>[0];

/** The part of the log that is looked at first, in positions for each event that is wanted. */
const firstWindow = 4;
/** A part in which too little was found is followed by one so many times as large. */
const growth = 4;

/**
 * A page, in order, of the events of some types after one position and up to another, of one room or of all.
 * The log is looked at in parts: with statistics that are old PostgreSQL would else sort all that is left of it
 * for each page, and a walk through the log would take the square of its length.
 */
export async function eventsOfTypes(
  deps: Pick<QueryDeps, 'db'>,
  { types, after, upTo, limit, roomId }: PageRequest,
): Promise<IndexableEvent[]> {
  const events: IndexableEvent[] = [];
  let end = upTo;
  let size = limit * firstWindow;
  for (let from = after; from < end && events.length < limit; size *= growth) {
    const to = Math.min(end, from + size);
    const condition = sql`e.position > ${from} AND e.position <= ${to} AND e.type = ANY(${[...types]}::text[])`;
    events.push(...(await read(deps, sql`${condition} ${ofRoom(roomId)}`, limit - events.length)));
    // Callers may ask for everything there is.
    if (from === after && to < end && events.length < limit) end = Math.min(end, await lastPosition(deps));
    from = to;
  }
  return events;
}

async function lastPosition({ db }: Pick<QueryDeps, 'db'>): Promise<number> {
  const result = await sql<{ last: number | null }>`
    SELECT max(position) AS last FROM roomserver_events
  `.execute(db);
  return result.rows[0]?.last ?? 0;
}

export async function eventsById(
  deps: Pick<QueryDeps, 'db'>,
  eventIds: readonly string[],
): Promise<IndexableEvent[]> {
  if (eventIds.length === 0) return [];
  return read(deps, sql`e.event_id = ANY(${[...eventIds]}::text[])`, null);
}

export async function countOfTypes(
  deps: Pick<QueryDeps, 'db'>,
  types: readonly string[],
  upTo: number,
  roomId: string | undefined,
): Promise<number> {
  const result = await sql<{ count: number }>`
    SELECT count(*) FROM roomserver_events e
    WHERE e.position <= ${upTo} AND e.type = ANY(${[...types]}::text[]) ${ofRoom(roomId)}
  `.execute(deps.db);
  return result.rows[0]?.count ?? 0;
}

function ofRoom(roomId: string | undefined): RawBuilder<unknown> {
  if (roomId === undefined) return sql``;
  return sql`AND e.room_nid = (SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})`;
}

/** Of a room that was purged nothing is read, although its events may not all be deleted yet. */
async function read(
  deps: Pick<QueryDeps, 'db'>,
  condition: RawBuilder<unknown>,
  limit: number | null,
): Promise<IndexableEvent[]> {
  const result = await sql<Row>`
    SELECT e.position, room.room_id, e.event_id, e.type, e.json, e.redacted_by
    FROM roomserver_events e JOIN roomserver_rooms room USING (room_nid)
    WHERE ${condition} ORDER BY e.position LIMIT ${limit}
  `.execute(deps.db);
  return result.rows.map((row) => ({
    eventId: row.event_id,
    roomId: row.room_id,
    position: row.position,
    type: row.type,
    isRedacted: row.redacted_by !== null,
    pdu: parsePdu(row.json),
  }));
}
