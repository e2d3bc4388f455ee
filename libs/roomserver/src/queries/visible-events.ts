import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';

import { addTransactionIds, type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories } from './room-history.ts';

interface VisibleRow extends EventRow {
  may_hide_history: boolean;
}

/** Those of the events that the user may see as a member of their rooms, without redacted ones, in no order. */
export async function visibleEvents(
  deps: QueryDeps,
  userId: string,
  deviceId: string,
  eventIds: readonly string[],
): Promise<StoredEvent[]> {
  if (eventIds.length === 0) return [];
  const result = await sql<VisibleRow>`
    SELECT ${eventColumns}, room.may_hide_history FROM roomserver_events e ${eventJoins}
    JOIN roomserver_memberships m ON m.room_nid = e.room_nid AND m.user_id = ${userId} AND m.membership = 'join'
    WHERE e.event_id = ANY(${[...eventIds]}::text[]) AND e.redacted_by IS NULL
  `.execute(deps.db);
  const roomNids = new Map(result.rows.map((row) => [row.event_id, row.room_nid]));
  const hiding = new Set(result.rows.filter((row) => row.may_hide_history).map((row) => row.room_nid));
  const events = readEvents(deps, result.rows);
  const [histories] = await Promise.all([
    loadHistories(deps, userId, [...hiding], Number.MAX_SAFE_INTEGER),
    addTransactionIds(deps, userId, deviceId, events),
  ]);
  return events.filter(({ eventId, position, pdu }) => {
    const roomNid = roomNids.get(eventId) ?? 0;
    return !hiding.has(roomNid) || histories.filter(roomNid)(position, pdu);
  });
}
