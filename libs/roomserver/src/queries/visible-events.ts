import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';

import { redactErased } from './erasure.ts';
import { type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import { isIgnored, type ReaderDeps, readerOf } from './ignoring.ts';
import { loadHistories } from './room-history.ts';

interface VisibleRow extends EventRow {
  may_hide_history: boolean;
  /** Set on what the device itself has sent. */
  transaction_id: string | null;
}

/**
 * Those of the events that the user may see as a member of their rooms, in no order, without redacted ones and those of
 * users who are ignored.
 */
export async function visibleEvents(
  deps: ReaderDeps,
  userId: string,
  deviceId: string,
  eventIds: readonly string[],
): Promise<StoredEvent[]> {
  if (eventIds.length === 0) return [];
  const reader = await readerOf(deps, userId);
  const result = await sql<VisibleRow>`
    SELECT ${eventColumns}, room.may_hide_history, (
      SELECT sent.transaction_id FROM roomserver_transactions sent
      WHERE sent.event_id = e.event_id AND sent.user_id = ${userId} AND sent.device_id = ${deviceId} LIMIT 1
    ) AS transaction_id
    FROM roomserver_events e ${eventJoins}
    JOIN roomserver_memberships m ON m.room_nid = e.room_nid AND m.user_id = ${userId} AND m.membership = 'join'
    WHERE e.event_id = ANY(${[...eventIds]}::text[]) AND e.redacted_by IS NULL
  `.execute(deps.db);
  const rows = new Map(result.rows.map((row) => [row.event_id, row]));
  const hiding = new Set(result.rows.filter((row) => row.may_hide_history).map((row) => row.room_nid));
  const histories = await loadHistories(deps, userId, [...hiding], Number.MAX_SAFE_INTEGER);
  const events = readEvents(deps, result.rows).flatMap((event) => {
    const row = rows.get(event.eventId);
    if (row === undefined || isIgnored(reader, event.pdu)) return [];
    const isHidden = row.may_hide_history && !histories.filter(row.room_nid)(event.position, event.pdu);
    if (isHidden) return [];
    return [row.transaction_id === null ? event : { ...event, transactionId: row.transaction_id }];
  });
  const erased = await redactErased(deps, userId, events);
  return events.filter((event) => !erased.has(event));
}
