import { sql } from 'kysely';

import type { Device } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

/** A user's devices, each with its newest connection. */
export async function devices(db: UserapiDb, userId: string): Promise<Device[]> {
  const result = await sql<Device>`
    SELECT d.device_id AS "deviceId", d.display_name AS "displayName", d.created_ts AS "createdTs",
      c.last_seen AS "lastSeenTs", c.ip AS "lastSeenIp"
    FROM userapi_devices d LEFT JOIN LATERAL (
      SELECT k.last_seen, k.ip FROM userapi_connections k
      WHERE k.user_id = d.user_id AND k.device_id = d.device_id
      ORDER BY k.last_seen DESC LIMIT 1
    ) c ON true
    WHERE d.user_id = ${userId} ORDER BY d.created_ts, d.device_id
  `.execute(db);
  return result.rows;
}
