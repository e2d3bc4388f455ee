import { sql } from 'kysely';

import type { OutgoingEvent, RoomserverForFederation } from '@seneschal/contracts';
import { own, serverNameOf } from '@seneschal/matrix';

import { parsePdu } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';

type Stored = Parameters<RoomserverForFederation['outgoingEvents']>[0];

interface Row {
  position: number;
  event_id: string;
  room_id: string;
  type: string;
  state_key: string | null;
  sender: string;
  json: string;
  servers: string[] | null;
  origin: string;
}

/**
 * Events with the servers that they go to: those with joined users, and the one of a user whose membership changes. An
 * event that came from one server and is relayed does not go back to it. Rooms without other servers cost an index look-up.
 * `OFFSET 0` keeps PostgreSQL from reading the rooms in whole, once for each of the events.
 */
export async function outgoingEvents(
  deps: QueryDeps,
  serverName: string,
  stored: Stored,
): Promise<OutgoingEvent[]> {
  if (stored.length === 0) return [];
  const result = await sql<Row>`
    SELECT e.position, e.event_id, r.room_id, e.type, e.state_key, e.sender, e.json, servers.names AS servers, q.origin
    FROM unnest(
      ${stored.map((one) => one.roomId)}::text[], ${stored.map((one) => one.first)}::bigint[],
      ${stored.map((one) => one.last)}::bigint[], ${stored.map((one) => one.origin ?? '')}::text[]
    ) AS q (room_id, first, last, origin)
    JOIN roomserver_rooms r ON r.room_id = q.room_id
    CROSS JOIN LATERAL (
      SELECT array_agg(s.server_name) FILTER (WHERE s.joined_members > 0) AS names, count(*) AS known
      FROM roomserver_room_servers s WHERE s.room_nid = r.room_nid
    ) AS servers
    CROSS JOIN LATERAL (
      SELECT position, event_id, type, state_key, sender, json FROM roomserver_events
      WHERE room_nid = r.room_nid AND position BETWEEN q.first AND q.last AND NOT is_outlier OFFSET 0
    ) AS e
    WHERE servers.known > 0 OR (e.type = 'm.room.member' AND e.state_key NOT LIKE ${`%:${serverName}`})
    ORDER BY e.position
  `.execute(deps.db);
  return result.rows.flatMap((row) => {
    const isOurs = serverNameOf(row.sender) === serverName;
    if (!isOurs && row.origin === '') return [];
    const destinations = destinationsOf(row, serverName);
    return destinations.length === 0
      ? []
      : [{ eventId: row.event_id, roomId: row.room_id, position: row.position, destinations }];
  });
}

function destinationsOf(row: Row, serverName: string): string[] {
  const servers = new Set(row.servers ?? []);
  const target =
    row.type === 'm.room.member' && row.state_key !== null ? serverNameOf(row.state_key) : undefined;
  // An invite goes to the invited user's server by a request of its own.
  if (target !== undefined && own(parsePdu(row.json)?.content, 'membership') !== 'invite')
    servers.add(target);
  servers.delete(serverName);
  servers.delete(row.origin);
  return [...servers];
}
