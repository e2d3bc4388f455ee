import { sql } from 'kysely';

import type { UserapiDb } from '../storage/tables.ts';

interface Row {
  algorithm: string;
  /** null for an unused fallback key. */
  count: number | null;
}

/** How many one-time keys a device has left, and of which algorithms its fallback key is unused. */
export async function keyCounts(
  db: UserapiDb,
  userId: string,
  deviceId: string,
): Promise<{ oneTimeKeys: Record<string, number>; unusedFallbackKeyTypes: string[] }> {
  const result = await sql<Row>`
    SELECT algorithm, count(*) AS count FROM userapi_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} GROUP BY algorithm
    UNION ALL
    SELECT algorithm, NULL FROM userapi_fallback_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND NOT is_used
  `.execute(db);
  const counts: [string, number][] = [];
  const unusedFallbackKeyTypes: string[] = [];
  for (const { algorithm, count } of result.rows) {
    if (count === null) unusedFallbackKeyTypes.push(algorithm);
    else counts.push([algorithm, count]);
  }
  return { oneTimeKeys: Object.fromEntries(counts), unusedFallbackKeyTypes };
}
