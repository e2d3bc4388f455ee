import { sql } from 'kysely';

import type { JsonObject } from '@seneschal/matrix';

import { parsePdu } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';
import { isResident } from './shared-rooms.ts';

type Db = Pick<QueryDeps, 'db'>;

/** Other servers with joined users, by room. */
export async function serversIn(deps: Db, roomIds: readonly string[]): Promise<Map<string, string[]>> {
  if (roomIds.length === 0) return new Map();
  const result = await sql<{ room_id: string; servers: string[] }>`
    SELECT r.room_id, array_agg(s.server_name) AS servers
    FROM roomserver_rooms r JOIN roomserver_room_servers s USING (room_nid)
    WHERE r.room_id = ANY(${[...roomIds]}::text[]) AND s.joined_members > 0 GROUP BY r.room_id
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.room_id, row.servers]));
}

/** Of these rooms those that both this server and another one are in, with their server ACLs. */
export async function roomsSharedWith(
  deps: Db,
  serverName: string,
  roomIds: readonly string[],
): Promise<Map<string, JsonObject | undefined>> {
  if (roomIds.length === 0) return new Map();
  const result = await sql<{ room_id: string; acl: string | null }>`
    SELECT r.room_id, (
      SELECT e.json FROM roomserver_current_state c JOIN roomserver_events e ON e.position = c.position
      WHERE c.room_nid = r.room_nid AND c.type = 'm.room.server_acl' AND c.state_key = ''
    ) AS acl
    FROM roomserver_rooms r JOIN roomserver_room_servers other USING (room_nid)
    WHERE r.room_id = ANY(${[...roomIds]}::text[]) AND other.server_name = ${serverName}
      AND other.joined_members > 0 AND NOT r.is_closed AND ${isResident}
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.room_id, parsePdu(row.acl)?.content]));
}

/** Those of these users who are joined to the room named with them. */
export async function joinedOf<T extends { roomId: string; userId: string }>(
  deps: Db,
  members: readonly T[],
): Promise<T[]> {
  if (members.length === 0) return [];
  const result = await sql<{ n: number }>`
    SELECT asked.n FROM unnest(
      ${members.map((one) => one.roomId)}::text[], ${members.map((one) => one.userId)}::text[]
    ) WITH ORDINALITY AS asked (room_id, user_id, n)
    JOIN roomserver_rooms r USING (room_id)
    JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = asked.user_id
    WHERE m.membership = 'join'
  `.execute(deps.db);
  const numbers = new Set(result.rows.map(({ n }) => n));
  return members.filter((_, index) => numbers.has(index + 1));
}

/** Positions of events that are in the rooms named with them. */
export async function eventPositions(
  deps: Db,
  events: readonly { roomId: string; eventId: string }[],
): Promise<Map<string, number>> {
  if (events.length === 0) return new Map();
  const result = await sql<{ event_id: string; position: number }>`
    SELECT e.event_id, e.position FROM (
      SELECT DISTINCT room_id, event_id FROM unnest(
        ${events.map((one) => one.roomId)}::text[], ${events.map((one) => one.eventId)}::text[]
      ) AS n (room_id, event_id)
    ) AS asked
    JOIN roomserver_events e USING (event_id) JOIN roomserver_rooms r USING (room_nid)
    WHERE r.room_id = asked.room_id AND NOT e.is_outlier
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.event_id, row.position]));
}
