import { sql } from 'kysely';

import type { UserapiDb } from '../storage/tables.ts';

/** Users whose device list changed in (from, to] of `userapi_output`, and those whose keys the user signed. */
export async function deviceListChanges(
  db: UserapiDb,
  userId: string,
  from: number,
  to: number,
): Promise<{ changed: string[]; signed: string[] }> {
  if (from >= to) return { changed: [], signed: [] };
  const result = await sql<{ user_id: string; is_signed: boolean }>`
    SELECT DISTINCT fact->>'userId' AS user_id, false AS is_signed FROM userapi_output
    WHERE position > ${from} AND position <= ${to} AND fact->>'kind' = 'device_list_changed'
    UNION ALL
    SELECT DISTINCT fact->>'target', true FROM userapi_output
    WHERE position > ${from} AND position <= ${to} AND fact->>'kind' = 'user_signed'
      AND fact->>'userId' = ${userId}
  `.execute(db);
  const usersOf = (isSigned: boolean): string[] =>
    result.rows.filter((row) => row.is_signed === isSigned).map((row) => row.user_id);
  return { changed: usersOf(false), signed: usersOf(true) };
}

/** The position of the last change of a user's devices, of which cross-signing keys are none; 0 when there was none. */
export async function deviceListPosition(db: UserapiDb, userId: string): Promise<number> {
  const result = await sql<{ position: number | null }>`
    SELECT max(position) AS position FROM userapi_output
    WHERE fact->>'userId' = ${userId} AND fact->>'kind' = 'device_list_changed' AND NOT fact ? 'crossSigning'
  `.execute(db);
  return result.rows[0]?.position ?? 0;
}
