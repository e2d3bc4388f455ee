import { sql } from 'kysely';

import type { Session } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

interface Row {
  device_id: string | null;
  ip: string | null;
  user_agent: string;
  last_seen: number;
}

/** Every device with its connections, newest first, in one statement. Undefined when there is no such account. */
export async function sessions(db: UserapiDb, userId: string): Promise<Session[] | undefined> {
  const result = await sql<Row>`
    SELECT d.device_id, c.ip, c.user_agent, c.last_seen
    FROM userapi_accounts a
    LEFT JOIN userapi_devices d ON d.user_id = a.user_id
    LEFT JOIN userapi_connections c ON c.user_id = d.user_id AND c.device_id = d.device_id
    WHERE a.user_id = ${userId}
    ORDER BY c.last_seen DESC
  `.execute(db);
  if (result.rows.length === 0) return undefined;
  const found = new Map<string, Session>();
  for (const row of result.rows) {
    if (row.device_id === null) continue;
    const session = found.get(row.device_id) ?? { deviceId: row.device_id, connections: [] };
    found.set(row.device_id, session);
    if (row.ip === null) continue;
    session.connections.push({ ip: row.ip, lastSeen: row.last_seen, userAgent: row.user_agent });
  }
  return [...found.values()];
}
