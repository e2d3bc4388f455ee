import { sql } from 'kysely';

import type { RoomFootprint } from '@seneschal/contracts';

import { unfinishedDeletion } from '../storage/deletions.ts';
import { countRoomRows } from '../storage/room-rows.ts';
import { roomNidOf } from '../storage/rooms.ts';
import type { QueryDeps } from './query-deps.ts';

/** What the room server has of a room, counted exactly; undefined when there is no such room. */
export async function roomFootprint(
  deps: Pick<QueryDeps, 'db'>,
  roomId: string,
): Promise<RoomFootprint | undefined> {
  const roomNid = (await roomNidOf(deps.db, roomId)) ?? (await unfinishedDeletion(deps.db, roomId))?.roomNid;
  if (roomNid === undefined) return undefined;
  const [sizes, rows] = await Promise.all([
    sizesOf(deps, roomNid),
    countRoomRows(deps.db, { roomNid, roomId }),
  ]);
  return {
    events: rows['roomserver_events'] ?? 0,
    state: rows['roomserver_current_state'] ?? 0,
    aliases: rows['roomserver_aliases'] ?? 0,
    ...sizes,
    rows,
  };
}

type Sizes = Pick<RoomFootprint, 'users' | 'remoteServers' | 'bytes'>;

async function sizesOf({ db }: Pick<QueryDeps, 'db'>, roomNid: number): Promise<Sizes> {
  const result = await sql<{ users: number; remote_servers: number; bytes: number }>`
    SELECT
      (SELECT coalesce(sum(octet_length(json)), 0)::bigint FROM roomserver_events WHERE room_nid = ${roomNid}) AS bytes,
      count(*) FILTER (WHERE is_local AND membership = ANY('{join,invite,knock}'::text[])) AS users,
      count(DISTINCT substr(user_id, strpos(user_id, ':') + 1)) FILTER (
        WHERE NOT is_local AND membership = 'join') AS remote_servers
    FROM roomserver_memberships WHERE room_nid = ${roomNid}
  `.execute(db);
  const { users = 0, remote_servers: remoteServers = 0, bytes = 0 } = result.rows[0] ?? {};
  return { users, remoteServers, bytes };
}
