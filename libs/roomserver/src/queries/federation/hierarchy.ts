import { sql } from 'kysely';

import type { RoomserverForFederation, SpaceRoom } from '@seneschal/contracts';

import type { QueryDeps } from '../query-deps.ts';
import { spaceRooms } from '../space-rooms.ts';

/** Undefined when the server may not know of the room. Rooms that this server is not in are left out. */
export async function hierarchy(
  deps: QueryDeps,
  roomId: string,
  { serverName, suggestedOnly }: { serverName: string; suggestedOnly: boolean },
): ReturnType<RoomserverForFederation['hierarchy']> {
  const found = (await spaceRooms(deps, [roomId])).get(roomId);
  if (found === undefined || !(await accessible(deps, serverName, [found])).has(roomId)) return undefined;
  const childrenState = found.childrenState.filter(
    ({ content }) => !suggestedOnly || (content as { suggested?: unknown }).suggested === true,
  );
  const ids = childrenState.map((child) => child.state_key).filter((child) => child !== roomId);
  const rooms = await spaceRooms(deps, ids);
  const allowed = await accessible(deps, serverName, [...rooms.values()]);
  const known = ids.flatMap((id) => rooms.get(id) ?? []);
  return {
    room: { ...found, childrenState },
    children: known.filter((room) => allowed.has(room.roomId)),
    inaccessible: known.map((room) => room.roomId).filter((id) => !allowed.has(id)),
  };
}

/** Rooms that are open, that the server is in or invited to, or whose allowed rooms it is in. */
async function accessible(
  deps: QueryDeps,
  serverName: string,
  rooms: readonly SpaceRoom[],
): Promise<Set<string>> {
  const closed = rooms.filter(({ isOpen }) => !isOpen);
  const asked = new Set(closed.flatMap((room) => [room.roomId, ...room.allowedRooms]));
  const joined = await sql<{ room_id: string }>`
    SELECT r.room_id FROM roomserver_rooms r JOIN roomserver_room_servers s USING (room_nid)
    WHERE r.room_id = ANY(${[...asked]}::text[]) AND s.server_name = ${serverName} AND s.joined_members > 0
  `.execute(deps.db);
  const invited = await sql<{ room_id: string }>`
    SELECT DISTINCT r.room_id FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid)
    WHERE r.room_id = ANY(${closed.map((room) => room.roomId)}::text[]) AND m.membership = 'invite'
      AND NOT m.is_local AND substr(m.user_id, strpos(m.user_id, ':') + 1) = ${serverName}
  `.execute(deps.db);
  const isIn = new Set(joined.rows.map((row) => row.room_id));
  const isInvited = new Set(invited.rows.map((row) => row.room_id));
  return new Set(
    rooms
      .filter(
        ({ isOpen, roomId, allowedRooms }) =>
          isOpen || isInvited.has(roomId) || [roomId, ...allowedRooms].some((one) => isIn.has(one)),
      )
      .map(({ roomId }) => roomId),
  );
}
