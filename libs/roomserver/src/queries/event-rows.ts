import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';
import { isJsonObject, type Pdu } from '@seneschal/matrix';

import type { QueryDeps } from './query-deps.ts';

export interface EventRow {
  position: number;
  room_nid: number;
  room_id: string;
  event_id: string;
  json: string;
  previous_id: string | null;
  previous_json: string | null;
  redaction_id: string | null;
  redaction_json: string | null;
}

/** The columns of an `EventRow`, for a query in which `e` is `roomserver_events`. */
export const eventColumns = sql`e.position, e.room_nid, room.room_id, e.event_id, e.json,
  previous.event_id AS previous_id, previous.json AS previous_json,
  redaction.event_id AS redaction_id, redaction.json AS redaction_json`;

export const eventJoins = sql`JOIN roomserver_rooms room ON room.room_nid = e.room_nid
  LEFT JOIN roomserver_events previous ON previous.position = e.replaces
  LEFT JOIN roomserver_events redaction ON redaction.position = e.redacted_by`;

/** The events at the given positions, in order. */
export async function eventsAt(deps: QueryDeps, positions: readonly number[]): Promise<StoredEvent[]> {
  if (positions.length === 0) return [];
  const result = await sql<EventRow>`
    SELECT ${eventColumns} FROM roomserver_events e ${eventJoins}
    WHERE e.position = ANY(${positions}::bigint[]) ORDER BY e.position
  `.execute(deps.db);
  return readEvents(deps, result.rows);
}

/** A row that is damaged is logged and left out: it never takes the rest of an answer with it. */
export function readEvents(deps: Pick<QueryDeps, 'logger'>, rows: readonly EventRow[]): StoredEvent[] {
  const events: StoredEvent[] = [];
  for (const row of rows) {
    const event = readEvent(row);
    if (event !== undefined) events.push(event);
    else deps.logger.warn({ eventId: row.event_id }, 'the stored event cannot be read and is left out');
  }
  return events;
}

function readEvent(row: EventRow): StoredEvent | undefined {
  const pdu = parsePdu(row.json);
  if (pdu === undefined) return undefined;
  const redaction = parsePdu(row.redaction_json);
  const previous = parsePdu(row.previous_json);
  return {
    eventId: row.event_id,
    roomId: row.room_id,
    position: row.position,
    pdu,
    ...(redaction === undefined || row.redaction_id === null
      ? {}
      : { redactedBecause: { eventId: row.redaction_id, pdu: redaction } }),
    ...(previous === undefined ? {} : { previousContent: previous.content }),
    ...(row.previous_id === null ? {} : { previousEventId: row.previous_id }),
  };
}

/** The event in a stored text; undefined when the text is damaged. */
export function parsePdu(json: string | null): Pdu | undefined {
  if (json === null) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    const isEvent =
      isJsonObject(value) && typeof value['type'] === 'string' && isJsonObject(value['content']);
    return isEvent ? (value as unknown as Pdu) : undefined;
  } catch {
    return undefined;
  }
}

/** Adds the transaction ID to the events that the device itself has sent. */
export async function addTransactionIds(
  deps: QueryDeps,
  userId: string,
  deviceId: string,
  events: readonly StoredEvent[],
): Promise<void> {
  const own = new Map(
    events
      .filter(({ pdu }) => pdu.sender === userId && pdu.type !== 'm.room.member')
      .map((event) => [event.eventId, event]),
  );
  if (own.size === 0) return;
  const result = await sql<{ event_id: string; transaction_id: string }>`
    SELECT event_id, transaction_id FROM roomserver_transactions
    WHERE event_id = ANY(${[...own.keys()]}::text[]) AND user_id = ${userId} AND device_id = ${deviceId}
  `.execute(deps.db);
  for (const row of result.rows) {
    const event = own.get(row.event_id);
    if (event !== undefined) event.transactionId = row.transaction_id;
  }
}
