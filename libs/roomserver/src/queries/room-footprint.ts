import { sql } from 'kysely';

import type { RoomFootprint } from '@seneschal/contracts';

import { countRoomRows, type RoomKey } from '../storage/room-rows.ts';
import type { QueryDeps } from './query-deps.ts';

type Deps = Pick<QueryDeps, 'db'>;

/** What the room server has of rooms, counted exactly; those whose deletion has not come to its end are among them. */
export async function roomFootprint(deps: Deps, roomIds: readonly string[]): Promise<RoomFootprint> {
  const rooms = await roomsOf(deps, roomIds);
  const [sizes, rows] = await Promise.all([
    sizesOf(
      deps,
      rooms.map(({ roomNid }) => roomNid),
    ),
    countRoomRows(deps.db, ...rooms),
  ]);
  return {
    rooms: rooms.length,
    events: rows['roomserver_events'] ?? 0,
    state: rows['roomserver_current_state'] ?? 0,
    aliases: rows['roomserver_aliases'] ?? 0,
    ...sizes,
    rows,
  };
}

async function roomsOf({ db }: Deps, roomIds: readonly string[]): Promise<RoomKey[]> {
  const ids = sql`${[...roomIds]}::text[]`;
  const found = await sql<RoomKey>`
    SELECT room_nid AS "roomNid", room_id AS "roomId" FROM roomserver_rooms WHERE room_id = ANY(${ids})
    UNION SELECT room_nid, room_id FROM roomserver_deletions WHERE room_id = ANY(${ids}) AND finished_ts IS NULL
  `.execute(db);
  return found.rows;
}

type Sizes = Pick<RoomFootprint, 'users' | 'remoteServers' | 'bytes'>;

async function sizesOf({ db }: Deps, roomNids: readonly number[]): Promise<Sizes> {
  const nids = sql`${[...roomNids]}::bigint[]`;
  const result = await sql<{ users: number; remote_servers: number; bytes: number }>`
    SELECT
      (SELECT coalesce(sum(octet_length(json)), 0)::bigint FROM roomserver_events WHERE room_nid = ANY(${nids})) AS bytes,
      count(DISTINCT user_id) FILTER (WHERE is_local AND membership = ANY('{join,invite,knock}'::text[])) AS users,
      count(DISTINCT substr(user_id, strpos(user_id, ':') + 1)) FILTER (
        WHERE NOT is_local AND membership = 'join') AS remote_servers
    FROM roomserver_memberships WHERE room_nid = ANY(${nids})
  `.execute(db);
  const { users = 0, remote_servers: remoteServers = 0, bytes = 0 } = result.rows[0] ?? {};
  return { users, remoteServers, bytes };
}
