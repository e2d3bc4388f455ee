import { sql } from 'kysely';

import type { Membership } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';

/** Undefined when the user never was anything in the room, or there is no such room. */
export async function membership(
  deps: Pick<QueryDeps, 'db'>,
  roomId: string,
  userId: string,
): Promise<Membership | undefined> {
  const result = await sql<{ membership: Membership }>`
    SELECT m.membership FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid)
    WHERE r.room_id = ${roomId} AND m.user_id = ${userId}
  `.execute(deps.db);
  return result.rows[0]?.membership;
}
