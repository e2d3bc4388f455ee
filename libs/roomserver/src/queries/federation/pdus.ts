import { sql } from 'kysely';

import { type JsonObject, type Pdu, referencedId } from '@seneschal/matrix';

import { createIdOf } from '../../room/receive.ts';
import { type KnownEvent, readKnownEvents } from '../../storage/foreign-reads.ts';
import type { QueryDeps } from '../query-deps.ts';

/** Levels that a walk back through a history takes at the most. */
const maximumRounds = 100;

export async function pdus(deps: QueryDeps, eventIds: readonly string[]): Promise<Map<string, JsonObject>> {
  return jsonOf(await readKnownEvents(deps.db, eventIds));
}

export async function roomOfEvent(deps: QueryDeps, eventId: string): Promise<string | undefined> {
  const result = await sql<{ room_id: string }>`
    SELECT r.room_id FROM roomserver_events e JOIN roomserver_rooms r USING (room_nid)
    WHERE e.event_id = ${eventId} AND NOT r.is_closed
  `.execute(deps.db);
  return result.rows[0]?.room_id;
}

/** Those of the events that have a place in the history, seen by clients or not. */
export async function placedEvents(deps: QueryDeps, eventIds: readonly string[]): Promise<Set<string>> {
  const known = await readKnownEvents(deps.db, eventIds);
  return new Set([...known.values()].filter(({ kind }) => kind !== 'outlier').map(({ eventId }) => eventId));
}

/** The auth events of events, theirs, and so on; a level a query. */
export async function authChain(
  deps: QueryDeps,
  roomId: string,
  eventIds: readonly string[],
): Promise<Map<string, JsonObject>> {
  return jsonOf(await authChainOf(deps, roomId, await readKnownEvents(deps.db, eventIds)));
}

export async function authChainOf(
  deps: QueryDeps,
  roomId: string,
  starts: ReadonlyMap<string, KnownEvent>,
): Promise<Map<string, KnownEvent>> {
  const chain = new Map<string, KnownEvent>();
  let wanted = new Set([...starts.values()].flatMap(({ pdu }) => pdu.auth_events.map(referencedId)));
  // Rooms that are named after their create event have it in nobody's auth events.
  if (!roomId.includes(':')) wanted.add(createIdOf(roomId));
  while (wanted.size > 0) {
    const missing = [...wanted].filter((eventId) => !starts.has(eventId));
    const found = await readKnownEvents(deps.db, missing);
    for (const eventId of wanted) {
      const event = starts.get(eventId);
      if (event !== undefined) found.set(eventId, event);
    }
    for (const [eventId, event] of found) chain.set(eventId, event);
    const parents = [...found.values()].flatMap(({ pdu }) => pdu.auth_events.map(referencedId));
    wanted = new Set(parents.filter((eventId) => !chain.has(eventId)));
  }
  return chain;
}

/** The events that come before others, newest (deepest) first, themselves included. */
export async function eventsBefore(
  deps: QueryDeps,
  roomId: string,
  eventIds: readonly string[],
  limit: number,
): Promise<Map<string, JsonObject>> {
  const room = await sql<{ room_nid: number }>`
    SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId} AND NOT is_closed
  `.execute(deps.db);
  const roomNid = room.rows[0]?.room_nid;
  const found = new Map<string, KnownEvent>();
  let wanted = [...eventIds];
  for (let round = 0; round < maximumRounds && wanted.length > 0 && found.size < limit; round += 1) {
    const level = await readKnownEvents(deps.db, wanted);
    for (const [eventId, event] of level) {
      const isPlaced =
        event.kind === 'timeline' || event.kind === 'superseded' || event.kind === 'soft_failed';
      if (event.roomNid === roomNid && isPlaced && found.size < limit) found.set(eventId, event);
    }
    const parents = [...level.values()].flatMap(({ pdu }) => parentsOf(pdu));
    wanted = [...new Set(parents)].filter((eventId) => !found.has(eventId));
  }
  return jsonOf(found);
}

function parentsOf(pdu: Pdu): string[] {
  return pdu.prev_events.map(referencedId);
}

export function jsonOf(known: ReadonlyMap<string, KnownEvent>): Map<string, JsonObject> {
  return new Map([...known].map(([eventId, { pdu }]) => [eventId, pdu as unknown as JsonObject]));
}
