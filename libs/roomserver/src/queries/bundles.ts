import { sql } from 'kysely';

import type { BundledRelations, StoredEvent } from '@seneschal/contracts';

import { eventsAt } from './event-rows.ts';
import { notIgnored, type Reader } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';

interface Row {
  event_id: string;
  replacement: number | null;
  thread_count: number;
  thread_last: number | null;
  has_taken_part: boolean | null;
  referring: string[] | null;
}

const mostReferences = 100;

/**
 * Adds to events what others relate to them (client-server API, "Aggregations of child events"): the newest edit by
 * the sender, the thread that begins with them, and references. One query for any number of events, a second one
 * where there is something to show. What users have said whom the reader ignores is not among it.
 */
export async function addBundles(
  deps: QueryDeps,
  reader: Reader,
  events: readonly StoredEvent[],
): Promise<void> {
  const parents = events.filter(({ pdu }) => pdu.state_key === undefined);
  if (parents.length === 0) return;
  const rows = await readRows(deps, reader, parents);
  const positions = rows.flatMap((row) =>
    [row.replacement, row.thread_last].filter((one): one is number => one !== null),
  );
  const shown = new Map((await eventsAt(deps, positions)).map((event) => [event.position, event]));
  const found = new Map(rows.map((row) => [row.event_id, row]));
  for (const event of parents) {
    const row = found.get(event.eventId);
    if (row !== undefined) event.bundled = bundleOf(row, shown);
  }
}

function bundleOf(row: Row, shown: ReadonlyMap<number, StoredEvent>): BundledRelations {
  const replacement = row.replacement === null ? undefined : shown.get(row.replacement);
  const latest = row.thread_last === null ? undefined : shown.get(row.thread_last);
  return {
    ...(replacement === undefined ? {} : { replacement }),
    ...(latest === undefined
      ? {}
      : { thread: { latest, count: row.thread_count, hasTakenPart: row.has_taken_part === true } }),
    ...(row.referring === null ? {} : { references: row.referring }),
  };
}

/** Of edits those count that are by the sender of the original, of its type, and no state. */
async function readRows(deps: QueryDeps, reader: Reader, parents: readonly StoredEvent[]): Promise<Row[]> {
  const child = sql`FROM roomserver_events e
    WHERE e.relates_to = p.event_id AND e.room_nid = p.room_nid AND e.state_key IS NULL
      AND ${notIgnored(reader)}`;
  const result = await sql<Row>`
    SELECT p.event_id, thread.count AS thread_count, thread.last AS thread_last, thread.has_taken_part,
      CASE WHEN p.redacted_by IS NULL THEN (
        SELECT e.position ${child} AND e.rel_type = 'm.replace' AND e.sender = p.sender AND e.type = p.type
        ORDER BY e.position DESC LIMIT 1
      ) END AS replacement,
      (SELECT array_agg(event_id) FROM (
        SELECT e.event_id ${child} AND e.rel_type = 'm.reference' ORDER BY e.position LIMIT ${mostReferences}
      ) AS r) AS referring
    FROM roomserver_events p CROSS JOIN LATERAL (
      SELECT count(*) AS count, max(e.position) AS last,
        bool_or(e.sender = ${reader.userId}) OR p.sender = ${reader.userId} AS has_taken_part
      ${child} AND e.rel_type = 'm.thread'
    ) AS thread
    WHERE p.event_id = ANY(${parents.map(({ eventId }) => eventId)}::text[])
      AND EXISTS (SELECT ${child} AND e.rel_type IN ('m.thread', 'm.replace', 'm.reference'))
  `.execute(deps.db);
  return result.rows;
}
