import { sql } from 'kysely';

import type { EventContext, RoomserverForSearch } from '@seneschal/contracts';

import { redactErased } from './erasure.ts';
import {
  addTransactionIds,
  type EventRow,
  eventColumns,
  eventJoins,
  eventsAt,
  readEvents,
} from './event-rows.ts';
import { isIgnored, type ReaderDeps, readerOf } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories } from './room-history.ts';
import { memberPositions } from './state-positions.ts';

type Arguments = Parameters<RoomserverForSearch['eventContexts']>;
type Place = Arguments[2][number];

interface SurroundingRow extends EventRow {
  /** Index of the place, and whether the event is before it or after. */
  place: number;
  is_before: boolean;
}

/**
 * What happened around events, one query for all of them. What the user may not see is left out, without more
 * being read in its stead. M_FORBIDDEN never comes: the caller has made sure of the events themselves.
 */
export async function eventContexts(deps: ReaderDeps, ...asked: Arguments): Promise<EventContext[]> {
  const [userId, deviceId, places, limits] = asked;
  if (places.length === 0) return [];
  const reader = await readerOf(deps, userId);
  const rows = await surroundings(deps, places, limits);
  const roomNids = new Map(rows.map((row) => [row.room_id, row.room_nid]));
  const histories = await loadHistories(deps, userId, [...roomNids.values()], Number.MAX_SAFE_INTEGER);
  const contexts = places.map(({ position }): EventContext => {
    return { before: [], after: [], members: [], start: position - 1, end: position };
  });
  for (const row of rows) {
    const context = contexts[row.place];
    const [event] = readEvents(deps, [row]);
    if (context === undefined || event === undefined) continue;
    if (isIgnored(reader, event.pdu)) continue;
    if (!histories.filter(row.room_nid)(event.position, event.pdu)) continue;
    context[row.is_before ? 'before' : 'after'].push(event);
    context.start = Math.min(context.start, event.position - 1);
    context.end = Math.max(context.end, event.position);
  }
  const all = contexts.flatMap(({ before, after }) => [...before, ...after]);
  await addTransactionIds(deps, userId, deviceId, all);
  await redactErased(deps, userId, all);
  if (limits.members) await addMembers(deps, places, contexts, roomNids);
  return contexts;
}

/** Before each place newest first, after it oldest first. */
async function surroundings(
  deps: QueryDeps,
  places: readonly Place[],
  limits: { before: number; after: number },
): Promise<SurroundingRow[]> {
  const result = await sql<SurroundingRow>`
    SELECT e.place, e.is_before, ${eventColumns} FROM (
      SELECT q.place - 1 AS place, near.* FROM unnest(
        ${places.map((place) => place.roomId)}::text[], ${places.map((place) => place.position)}::bigint[]
      ) WITH ORDINALITY AS q (room_id, position, place)
      JOIN roomserver_rooms r ON r.room_id = q.room_id
      CROSS JOIN LATERAL (
        (SELECT true AS is_before, b.* FROM roomserver_events b
          WHERE b.room_nid = r.room_nid AND b.position < q.position AND NOT b.is_outlier
          ORDER BY b.position DESC LIMIT ${limits.before})
        UNION ALL
        (SELECT false, a.* FROM roomserver_events a
          WHERE a.room_nid = r.room_nid AND a.position > q.position AND NOT a.is_outlier
          ORDER BY a.position LIMIT ${limits.after})
      ) AS near
    ) AS e ${eventJoins}
    ORDER BY e.place, e.is_before, CASE WHEN e.is_before THEN -e.position ELSE e.position END
  `.execute(deps.db);
  return result.rows;
}

/** Adds to each context the membership events of its senders, as of the last of the places in its room. */
async function addMembers(
  deps: QueryDeps,
  places: readonly Place[],
  contexts: readonly EventContext[],
  roomNids: ReadonlyMap<string, number>,
): Promise<void> {
  const senders = contexts.map(({ before, after }, index) => [
    places[index]?.sender ?? '',
    ...[...before, ...after].map(({ pdu }) => pdu.sender),
  ]);
  const ranges = [...roomNids].map(([roomId, roomNid]) => {
    const here = [...places.keys()].filter((index) => places[index]?.roomId === roomId);
    return {
      roomNid,
      bound: Math.max(...here.map((index) => places[index]?.position ?? 0)),
      userIds: here.flatMap((index) => senders[index] ?? []),
    };
  });
  const members = await eventsAt(deps, await memberPositions(deps, ranges));
  contexts.forEach((context, index) => {
    context.members = members.filter(
      ({ roomId, pdu }) =>
        roomId === places[index]?.roomId && senders[index]?.includes(pdu.state_key ?? '') === true,
    );
  });
}
