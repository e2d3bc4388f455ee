import { type Kysely, sql } from 'kysely';

import type { RoomserverTables } from './tables.ts';

/** Marks a user as erased from the present position on; the first time counts. */
export async function insertErasedUser(db: Kysely<RoomserverTables>, userId: string): Promise<void> {
  await sql`
    INSERT INTO roomserver_erased_users (user_id, position)
    SELECT ${userId}, coalesce(max(position), 0) FROM roomserver_output ON CONFLICT DO NOTHING
  `.execute(db);
}

/** Those of the users who are erased, with the position at which they were. */
export async function selectErased(
  db: Kysely<RoomserverTables>,
  userIds: readonly string[],
): Promise<Map<string, number>> {
  if (userIds.length === 0) return new Map();
  const found = await sql<{ user_id: string; position: number }>`
    SELECT user_id, position FROM roomserver_erased_users WHERE user_id = ANY(${[...userIds]}::text[])
  `.execute(db);
  return new Map(found.rows.map((row) => [row.user_id, row.position]));
}
