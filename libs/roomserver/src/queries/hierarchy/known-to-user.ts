import { sql } from 'kysely';

import type { Membership, SpaceRoom } from '@seneschal/contracts';

import type { QueryDeps } from '../query-deps.ts';

/** What a user is in rooms. */
export type Memberships = ReadonlyMap<string, Membership>;

/** The memberships that decide which of the rooms a user may know of: in them, and in those that let into them. */
export async function deciding(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  rooms: Iterable<SpaceRoom>,
): Promise<Memberships> {
  const roomIds = [...rooms].flatMap(({ roomId, allowedRooms }) => [roomId, ...allowedRooms]);
  if (roomIds.length === 0) return new Map();
  const found = await sql<{ room_id: string; membership: Membership }>`
    SELECT r.room_id, m.membership FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid)
    WHERE r.room_id = ANY(${[...new Set(roomIds)]}::text[]) AND m.user_id = ${userId}
  `.execute(deps.db);
  return new Map(found.rows.map((row) => [row.room_id, row.membership]));
}

/**
 * Whether a user may know of a room (client-server API, `GET /rooms/{roomId}/hierarchy`): who is in it, may come in or
 * knock, or may read it anyway. Who is banned may not.
 */
export function isKnownTo(
  { roomId, isOpen, joinRule, allowedRooms }: SpaceRoom,
  memberships: Memberships,
): boolean {
  const own = memberships.get(roomId);
  if (own === 'ban') return false;
  if (own === 'join' || own === 'invite' || isOpen) return true;
  return joinRule === 'restricted' && allowedRooms.some((allowed) => memberships.get(allowed) === 'join');
}
