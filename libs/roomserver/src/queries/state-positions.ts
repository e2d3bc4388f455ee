import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

/** State of one room that changed after `since` (all of it when 0), as of `bound`. */
export interface StateRange {
  roomNid: number;
  since: number;
  bound: number;
}

/** Membership events of certain users, as of `bound`. */
export interface MembersRange {
  roomNid: number;
  bound: number;
  userIds: readonly string[];
}

interface Found {
  position: number | null;
}

/**
 * Positions of the state events other than memberships, one query for all rooms. The work grows with the
 * number of keys in the rooms' state, not with their history.
 */
export async function statePositions(deps: QueryDeps, ranges: readonly StateRange[]): Promise<number[]> {
  if (ranges.length === 0) return [];
  const result = await sql<Found>`
    SELECT CASE WHEN c.position <= q.bound THEN c.position ELSE (
      SELECT max(s.position) FROM roomserver_events s
      WHERE s.room_nid = q.room_nid AND s.type = c.type AND s.state_key = c.state_key
        AND s.position > q.since AND s.position <= q.bound
    ) END AS position
    FROM ${rangesTable(ranges)} JOIN roomserver_current_state c ON c.room_nid = q.room_nid AND c.position > q.since
  `.execute(deps.db);
  return positionsOf(result.rows);
}

/** Positions of all membership events in force at `bound`; every member is looked at, `since` is not. */
export async function allMemberPositions(deps: QueryDeps, ranges: readonly StateRange[]): Promise<number[]> {
  if (ranges.length === 0) return [];
  const result = await sql<Found>`
    SELECT CASE WHEN m.position <= q.bound THEN m.position ELSE (
      SELECT max(s.position) FROM roomserver_events s
      WHERE s.room_nid = q.room_nid AND s.type = 'm.room.member' AND s.state_key = m.user_id
        AND s.position <= q.bound
    ) END AS position
    FROM ${rangesTable(ranges)} JOIN roomserver_memberships m ON m.room_nid = q.room_nid
  `.execute(deps.db);
  return positionsOf(result.rows);
}

/** Positions of the last membership event of each user within (since, bound]; reads the events between. */
export async function changedMemberPositions(
  deps: QueryDeps,
  ranges: readonly StateRange[],
): Promise<number[]> {
  if (ranges.length === 0) return [];
  const result = await sql<Found>`
    SELECT s.position FROM ${rangesTable(ranges)} CROSS JOIN LATERAL (
      SELECT max(e.position) AS position FROM roomserver_events e
      WHERE e.room_nid = q.room_nid AND e.position > q.since AND e.position <= q.bound
        AND e.type = 'm.room.member' AND e.state_key IS NOT NULL
      GROUP BY e.state_key
    ) AS s
  `.execute(deps.db);
  return positionsOf(result.rows);
}

/**
 * Positions of the state that came to be in force within (since, bound] without being in the timeline: what other
 * servers told, and what a state resolution brought back.
 */
export async function untimedPositions(deps: QueryDeps, ranges: readonly StateRange[]): Promise<number[]> {
  if (ranges.length === 0) return [];
  const result = await sql<Found>`
    SELECT e.position FROM ${rangesTable(ranges)} JOIN roomserver_events e
      ON e.room_nid = q.room_nid AND e.is_outlier AND e.position > q.since AND e.position <= q.bound
    UNION ALL
    SELECT o.event_position FROM ${rangesTable(ranges)} JOIN roomserver_state_overrides o
      ON o.room_nid = q.room_nid AND o.position > q.since AND o.position <= q.bound
  `.execute(deps.db);
  return positionsOf(result.rows);
}

/** Positions of the membership events of the given users that were in force at `bound`. */
export async function memberPositions(deps: QueryDeps, ranges: readonly MembersRange[]): Promise<number[]> {
  const wanted = ranges.flatMap(({ roomNid, bound, userIds }) =>
    [...new Set(userIds)].map((userId) => ({ roomNid, bound, userId })),
  );
  if (wanted.length === 0) return [];
  const result = await sql<Found>`
    SELECT (
      SELECT max(s.position) FROM roomserver_events s
      WHERE s.room_nid = q.room_nid AND s.type = 'm.room.member' AND s.state_key = q.user_id
        AND s.position <= q.bound
    ) AS position
    FROM unnest(
      ${wanted.map((one) => one.roomNid)}::bigint[], ${wanted.map((one) => one.bound)}::bigint[],
      ${wanted.map((one) => one.userId)}::text[]
    ) AS q (room_nid, bound, user_id)
  `.execute(deps.db);
  return positionsOf(result.rows);
}

function rangesTable(ranges: readonly StateRange[]): ReturnType<typeof sql> {
  return sql`unnest(
    ${ranges.map((range) => range.roomNid)}::bigint[], ${ranges.map((range) => range.since)}::bigint[],
    ${ranges.map((range) => range.bound)}::bigint[]
  ) AS q (room_nid, since, bound)`;
}

function positionsOf(rows: readonly Found[]): number[] {
  return rows.flatMap(({ position }) => (position === null ? [] : [position]));
}
