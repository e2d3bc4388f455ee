import { sql } from 'kysely';

import type { UserapiTransaction } from './tables.ts';

/** Connections that are kept of one device; the oldest make room. */
export const connectionsPerDevice = 20;

export interface SeenConnection {
  userId: string;
  deviceId: string;
  ip: string;
  userAgent: string;
  /** ms */
  lastSeen: number;
}

/**
 * Writes connections of devices that exist; a later sighting wins over an earlier one. No two entries may
 * name the same connection. The devices are locked, so that none is deleted between the two.
 */
export async function upsertConnections(
  trx: UserapiTransaction,
  connections: readonly SeenConnection[],
): Promise<void> {
  await sql`
    WITH seen AS (
      SELECT s.* FROM unnest(
        ${connections.map((one) => one.userId)}::text[],
        ${connections.map((one) => one.deviceId)}::text[],
        ${connections.map((one) => one.ip)}::text[],
        ${connections.map((one) => one.userAgent)}::text[],
        ${connections.map((one) => one.lastSeen)}::bigint[]
      ) AS s (user_id, device_id, ip, user_agent, last_seen)
      JOIN userapi_devices d ON d.user_id = s.user_id AND d.device_id = s.device_id
      ORDER BY d.user_id, d.device_id
      FOR KEY SHARE OF d
    )
    INSERT INTO userapi_connections (user_id, device_id, ip, user_agent, last_seen)
    SELECT user_id, device_id, ip, user_agent, last_seen FROM seen
    ON CONFLICT (user_id, device_id, ip, user_agent)
    DO UPDATE SET last_seen = greatest(userapi_connections.last_seen, excluded.last_seen)
  `.execute(trx);
}

/** Forgets all but the newest connections of these devices. */
export async function pruneConnections(
  trx: UserapiTransaction,
  devices: readonly { userId: string; deviceId: string }[],
): Promise<void> {
  await sql`
    DELETE FROM userapi_connections c USING (
      SELECT o.user_id, o.device_id, o.ip, o.user_agent
      FROM (
        SELECT DISTINCT * FROM unnest(
          ${devices.map((one) => one.userId)}::text[],
          ${devices.map((one) => one.deviceId)}::text[]
        ) AS u (user_id, device_id)
      ) AS t CROSS JOIN LATERAL (
        SELECT * FROM userapi_connections k
        WHERE k.user_id = t.user_id AND k.device_id = t.device_id
        ORDER BY k.last_seen DESC OFFSET ${connectionsPerDevice}::int
      ) AS o
    ) AS old
    WHERE c.user_id = old.user_id AND c.device_id = old.device_id
      AND c.ip = old.ip AND c.user_agent = old.user_agent
  `.execute(trx);
}
