import { sql } from 'kysely';

import type { StateRequest, StateSelector, StoredEvent } from '@seneschal/contracts';

import { redactErased } from '../erasure.ts';
import { eventsAt } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';
import {
  allMemberPositions,
  changedMemberPositions,
  type StateRange,
  untimedPositions,
} from '../state-positions.ts';

const memberType = 'm.room.member';

interface Located {
  range: StateRange;
  request: StateRequest;
}

/** The state that is asked for of any number of rooms, in a fixed number of queries. */
export async function requiredState(
  deps: QueryDeps,
  userId: string,
  requests: readonly StateRequest[],
): Promise<Map<string, StoredEvent[]>> {
  const located = await locate(
    deps,
    requests.filter(({ selectors }) => selectors.length > 0),
  );
  if (located.length === 0) return new Map();
  const [named, all, members, untimed] = await Promise.all([
    namedPositions(deps, located),
    anyPositions(deps, located),
    wantedMembers(deps, located),
    untimedPositions(
      deps,
      located.map(({ range }) => range).filter(({ since }) => since > 0),
    ),
  ]);
  const events = await eventsAt(deps, [...new Set([...named, ...all, ...members, ...untimed])]);
  await redactErased(deps, userId, events);
  const told = new Map<string, StoredEvent[]>();
  // What was brought back is looked up by its place alone.
  const brought = new Set(untimed);
  for (const event of events) {
    const isWanted =
      !brought.has(event.position) ||
      requests.some((request) => request.roomId === event.roomId && selects(request.selectors, event));
    if (!isWanted) continue;
    const known = told.get(event.roomId);
    if (known === undefined) told.set(event.roomId, [event]);
    else known.push(event);
  }
  return told;
}

function selects(selectors: readonly StateSelector[], { pdu }: StoredEvent): boolean {
  return selectors.some(
    ({ type, stateKey }) =>
      (type === null ? pdu.type !== memberType : type === pdu.type) &&
      (stateKey === null || stateKey === pdu.state_key),
  );
}

/** Rooms that are not there any more are left out. */
async function locate(deps: QueryDeps, requests: readonly StateRequest[]): Promise<Located[]> {
  if (requests.length === 0) return [];
  const roomIds = [...new Set(requests.map(({ roomId }) => roomId))];
  const result = await sql<{ room_nid: number; room_id: string }>`
    SELECT room_nid, room_id FROM roomserver_rooms WHERE room_id = ANY(${roomIds}::text[])
  `.execute(deps.db);
  const nids = new Map(result.rows.map((row) => [row.room_id, row.room_nid]));
  return requests.flatMap((request): Located[] => {
    const roomNid = nids.get(request.roomId);
    if (roomNid === undefined) return [];
    return [{ request, range: { roomNid, since: request.since, bound: request.until } }];
  });
}

interface Wanted extends StateRange, StateSelector {}

function wantedOf(located: readonly Located[], isWanted: (selector: StateSelector) => boolean): Wanted[] {
  return located.flatMap(({ range, request }) =>
    request.selectors.filter(isWanted).map((selector) => ({ ...range, ...selector })),
  );
}

/** As of `bound`, where the state has moved on since. */
const asOfBound = sql`CASE WHEN c.position <= q.bound THEN c.position ELSE (
  SELECT max(s.position) FROM roomserver_events s
  WHERE s.room_nid = q.room_nid AND s.type = c.type AND s.state_key = c.state_key
    AND s.position > q.since AND s.position <= q.bound
) END AS position`;

/** By type and key: looked up one by one. */
function namedPositions(deps: QueryDeps, located: readonly Located[]): Promise<number[]> {
  return positionsOf(
    deps,
    wantedOf(located, ({ type, stateKey }) => type !== null && type !== memberType && stateKey !== null),
    sql`c.type = q.type AND c.state_key = q.state_key`,
  );
}

/** With any type or any key: the state of the rooms is looked through. */
function anyPositions(deps: QueryDeps, located: readonly Located[]): Promise<number[]> {
  return positionsOf(
    deps,
    wantedOf(located, ({ type, stateKey }) => type !== memberType && (type === null || stateKey === null)),
    sql`(q.type IS NULL OR c.type = q.type) AND (q.state_key IS NULL OR c.state_key = q.state_key)`,
  );
}

async function positionsOf(
  deps: QueryDeps,
  wanted: readonly Wanted[],
  matches: ReturnType<typeof sql>,
): Promise<number[]> {
  if (wanted.length === 0) return [];
  const result = await sql<{ position: number | null }>`
    SELECT ${asOfBound} FROM unnest(
      ${wanted.map((one) => one.roomNid)}::bigint[], ${wanted.map((one) => one.since)}::bigint[],
      ${wanted.map((one) => one.bound)}::bigint[], ${wanted.map((one) => one.type)}::text[],
      ${wanted.map((one) => one.stateKey)}::text[]
    ) AS q (room_nid, since, bound, type, state_key)
    JOIN roomserver_current_state c ON c.room_nid = q.room_nid AND c.position > q.since AND ${matches}
  `.execute(deps.db);
  return result.rows.flatMap(({ position }) => (position === null ? [] : [position]));
}

async function wantedMembers(deps: QueryDeps, located: readonly Located[]): Promise<number[]> {
  const everybody = wantedOf(located, ({ type, stateKey }) => type === memberType && stateKey === null);
  const positions = await Promise.all([
    allMemberPositions(
      deps,
      everybody.filter(({ since }) => since === 0),
    ),
    changedMemberPositions(
      deps,
      everybody.filter(({ since }) => since > 0),
    ),
    namedMembers(
      deps,
      wantedOf(located, ({ type, stateKey }) => type === memberType && stateKey !== null),
    ),
  ]);
  return positions.flat();
}

/** The membership events of single users that were in force at `bound`, as far as they are newer than `since`. */
async function namedMembers(deps: QueryDeps, wanted: readonly Wanted[]): Promise<number[]> {
  if (wanted.length === 0) return [];
  const result = await sql<{ position: number }>`
    SELECT s.position FROM unnest(
      ${wanted.map((one) => one.roomNid)}::bigint[], ${wanted.map((one) => one.since)}::bigint[],
      ${wanted.map((one) => one.bound)}::bigint[], ${wanted.map((one) => one.stateKey)}::text[]
    ) AS q (room_nid, since, bound, user_id) CROSS JOIN LATERAL (
      SELECT max(e.position) AS position FROM roomserver_events e
      WHERE e.room_nid = q.room_nid AND e.type = 'm.room.member' AND e.state_key = q.user_id
        AND e.position <= q.bound
    ) AS s WHERE s.position > q.since
  `.execute(deps.db);
  return result.rows.map(({ position }) => position);
}
