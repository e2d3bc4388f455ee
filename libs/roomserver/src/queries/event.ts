import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';

import { dress } from './dress.ts';
import { type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import { type ReaderDeps, readerOf } from './ignoring.ts';
import { loadHistories } from './room-history.ts';

/**
 * One event of a room; undefined when there is none or the user may not see it, which must not be told apart
 * (client-server API, `GET /rooms/{roomId}/event/{eventId}`).
 */
export async function event(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  eventId: string,
  deviceId: string,
): Promise<StoredEvent | undefined> {
  const result = await sql<EventRow & { is_forgotten: boolean | null }>`
    SELECT ${eventColumns}, m.is_forgotten FROM roomserver_events e ${eventJoins}
    LEFT JOIN roomserver_memberships m ON m.room_nid = e.room_nid AND m.user_id = ${userId}
    WHERE e.event_id = ${eventId} AND room.room_id = ${roomId}
  `.execute(deps.db);
  const row = result.rows[0];
  const [found] = readEvents(deps, result.rows);
  if (row === undefined || found === undefined || row.is_forgotten === true) return undefined;
  const histories = await loadHistories(deps, userId, [row.room_nid], Number.MAX_SAFE_INTEGER);
  if (!histories.filter(row.room_nid)(found.position, found.pdu)) return undefined;
  await dress(deps, await readerOf(deps, userId), deviceId, [found]);
  return found;
}
