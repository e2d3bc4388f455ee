import { sql } from 'kysely';

import type { RoomserverForClient, StoredEvent } from '@seneschal/contracts';

import { dress } from './dress.ts';
import { type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import { isIgnored, type ReaderDeps, readerOf } from './ignoring.ts';
import { loadHistories } from './room-history.ts';
import { bounded, viewRoom } from './room-view.ts';

type Request = Parameters<RoomserverForClient['threads']>[2];

/**
 * The first events of a room's threads, the ones with the newest answers first (client-server API, "Threads"). The
 * threads are found by walking back over answers that have no newer one, so a page costs no more than it tells.
 */
export async function threads(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  request: Request,
): Promise<{ events: StoredEvent[]; end?: number }> {
  const view = await viewRoom(deps, roomId, userId);
  const reader = await readerOf(deps, userId);
  const upTo = bounded(Math.min(request.from ?? Infinity, view.horizon));
  const mine = request.include === 'participated';
  const result = await sql<EventRow & { last: number }>`
    SELECT ${eventColumns}, last.position AS last FROM (
      SELECT t.relates_to, t.position FROM roomserver_events t
      WHERE t.room_nid = ${view.roomNid} AND t.rel_type = 'm.thread' AND t.position <= ${upTo}
        AND NOT EXISTS (
          SELECT FROM roomserver_events later WHERE later.relates_to = t.relates_to
            AND later.rel_type = 'm.thread' AND later.position > t.position AND later.room_nid = t.room_nid
        )
        AND EXISTS (
          SELECT FROM roomserver_events root WHERE root.event_id = t.relates_to AND root.room_nid = t.room_nid
            AND (NOT ${mine}::boolean OR root.sender = ${userId} OR EXISTS (
              SELECT FROM roomserver_events own WHERE own.relates_to = t.relates_to
                AND own.rel_type = 'm.thread' AND own.sender = ${userId} AND own.room_nid = t.room_nid
            ))
        )
      ORDER BY t.position DESC LIMIT ${request.limit + 1}
    ) AS last JOIN roomserver_events e ON e.event_id = last.relates_to ${eventJoins}
    ORDER BY last.position DESC
  `.execute(deps.db);
  const taken = result.rows.slice(0, request.limit);
  const histories = await loadHistories(deps, userId, [view.roomNid], Number.MAX_SAFE_INTEGER);
  const mayBeSeen = histories.filter(view.roomNid);
  const events = readEvents(deps, taken).filter(
    ({ position, pdu }) => mayBeSeen(position, pdu) && !isIgnored(reader, pdu),
  );
  await dress(deps, reader, request.deviceId, events);
  const last = taken.at(-1)?.last;
  const hasMore = result.rows.length > request.limit && last !== undefined;
  return { events, ...(hasMore ? { end: last - 1 } : {}) };
}
