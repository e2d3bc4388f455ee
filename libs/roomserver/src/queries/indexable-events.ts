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

/** A page, in order, of the events of some types after one position and up to another, of one room or of all. */
export async function eventsOfTypes(
  deps: Pick<QueryDeps, 'db'>,
  { types, after, upTo, limit, roomId }: PageRequest,
): Promise<IndexableEvent[]> {
  const ofRoom =
    roomId === undefined
      ? sql``
      : sql`AND room_nid = (SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})`;
  return read(
    deps,
    sql`SELECT * FROM roomserver_events
      WHERE position > ${after} AND position <= ${upTo} AND type = ANY(${[...types]}::text[]) ${ofRoom}
      ORDER BY position LIMIT ${limit}`,
  );
}

export async function eventsById(
  deps: Pick<QueryDeps, 'db'>,
  eventIds: readonly string[],
): Promise<IndexableEvent[]> {
  if (eventIds.length === 0) return [];
  return read(deps, sql`SELECT * FROM roomserver_events WHERE event_id = ANY(${[...eventIds]}::text[])`);
}

async function read(deps: Pick<QueryDeps, 'db'>, events: RawBuilder<unknown>): Promise<IndexableEvent[]> {
  const result = await sql<Row>`
    SELECT e.position, room.room_id, e.event_id, e.type, e.json, e.redacted_by
    FROM (${events}) AS e JOIN roomserver_rooms room USING (room_nid) ORDER BY e.position
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
