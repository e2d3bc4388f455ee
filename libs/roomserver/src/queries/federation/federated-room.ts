import { sql } from 'kysely';

import type { FederatedRoom, RoomserverForFederation } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { parsePdu } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';

interface RoomRow {
  room_version: string | null;
  is_resident: boolean;
  is_closed: boolean;
  is_blocked: boolean;
  has_state: boolean;
  is_shared: boolean;
  acl: string | null;
}

/** Also for a room that is gone while rows of it are still being deleted: it is closed. */
export async function federatedRoom(
  deps: Pick<QueryDeps, 'db'>,
  roomId: string,
): Promise<FederatedRoom | undefined> {
  const result = await sql<RoomRow>`
    SELECT r.room_version,
      coalesce(r.is_closed, false) OR EXISTS (
        SELECT FROM roomserver_deletions d WHERE d.room_id = asked.room_id AND d.finished_ts IS NULL
      ) AS is_closed,
      EXISTS (SELECT FROM roomserver_blocked_rooms b WHERE b.room_id = asked.room_id) AS is_blocked,
      EXISTS (
        SELECT FROM roomserver_memberships m
        WHERE m.room_nid = r.room_nid AND m.is_local AND m.membership = 'join'
      ) AS is_resident,
      EXISTS (
        SELECT FROM roomserver_current_state s WHERE s.room_nid = r.room_nid AND s.type = 'm.room.create'
      ) AS has_state,
      EXISTS (
        SELECT FROM roomserver_room_servers s WHERE s.room_nid = r.room_nid AND s.joined_members > 0
      ) AS is_shared,
      (
        SELECT e.json FROM roomserver_current_state s JOIN roomserver_events e ON e.position = s.position
        WHERE s.room_nid = r.room_nid AND s.type = 'm.room.server_acl' AND s.state_key = ''
      ) AS acl
    FROM (SELECT ${roomId}::text AS room_id) AS asked LEFT JOIN roomserver_rooms r USING (room_id)
  `.execute(deps.db);
  const row = result.rows[0];
  if (row === undefined || (row.room_version === null && !row.is_closed && !row.is_blocked)) return undefined;
  return {
    roomVersion: row.room_version ?? '',
    isResident: row.is_resident,
    isClosed: row.is_closed,
    isBlocked: row.is_blocked,
    isElsewhere: !row.is_resident && (!row.has_state || row.is_shared),
    serverAcl: parsePdu(row.acl)?.content,
  };
}

export async function joinedServers(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<string[]> {
  const result = await sql<{ server_name: string }>`
    SELECT s.server_name FROM roomserver_room_servers s JOIN roomserver_rooms r USING (room_nid)
    WHERE r.room_id = ${roomId} AND s.joined_members > 0 ORDER BY s.joined_members DESC, s.server_name
  `.execute(deps.db);
  return result.rows.map((row) => row.server_name);
}

export async function membershipEvent(
  deps: QueryDeps,
  roomId: string,
  userId: string,
): ReturnType<RoomserverForFederation['membershipEvent']> {
  const result = await sql<{ membership: string; json: string; told: JsonObject[] | null }>`
    SELECT m.membership, e.json, i.events AS told FROM roomserver_memberships m
    JOIN roomserver_rooms r USING (room_nid) JOIN roomserver_events e ON e.position = m.position
    LEFT JOIN roomserver_invite_states i ON i.room_nid = m.room_nid AND i.user_id = m.user_id
    WHERE r.room_id = ${roomId} AND m.user_id = ${userId}
  `.execute(deps.db);
  const row = result.rows[0];
  const pdu = parsePdu(row?.json ?? null);
  if (row === undefined || pdu === undefined) return undefined;
  return { membership: row.membership, event: pdu as unknown as JsonObject, told: row.told ?? [] };
}

export async function forwardExtremities(deps: QueryDeps, roomId: string): Promise<string[]> {
  const result = await sql<{ forward_extremities: string[] }>`
    SELECT forward_extremities FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(deps.db);
  return result.rows[0]?.forward_extremities ?? [];
}
