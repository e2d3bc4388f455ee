import { sql } from 'kysely';

import type { UserapiDb } from '../storage/tables.ts';

/** Users whose device list changed in (from, to] of `userapi_output`. */
export async function deviceListChanges(db: UserapiDb, from: number, to: number): Promise<string[]> {
  if (from >= to) return [];
  const result = await sql<{ user_id: string }>`
    SELECT DISTINCT fact->>'userId' AS user_id FROM userapi_output
    WHERE position > ${from} AND position <= ${to} AND fact->>'kind' = 'device_list_changed'
  `.execute(db);
  return result.rows.map((row) => row.user_id);
}

/** The position of the last change of a user's device list; 0 when there was none. */
export async function deviceListPosition(db: UserapiDb, userId: string): Promise<number> {
  const result = await sql<{ position: number | null }>`
    SELECT max(position) AS position FROM userapi_output
    WHERE fact->>'userId' = ${userId} AND fact->>'kind' = 'device_list_changed'
  `.execute(db);
  return result.rows[0]?.position ?? 0;
}
