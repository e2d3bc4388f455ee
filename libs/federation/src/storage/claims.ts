import { type RawBuilder, sql } from 'kysely';

import { isBlockedSql } from './blocked-servers.ts';
import type { FederationDb } from './tables.ts';

/** Whether events or EDUs wait for a server. */
export function isSomethingQueued(serverName: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(
    EXISTS (SELECT FROM federation_queue q WHERE q.server_name = ${serverName})
    OR EXISTS (SELECT FROM federation_edu_queue q WHERE q.server_name = ${serverName})
    OR EXISTS (SELECT FROM federation_ephemeral q WHERE q.server_name = ${serverName})
  )`;
}

/** Takes servers that have something queued and whose time has come; nobody else sends to them until `until`. */
export async function claimDestinations(
  db: FederationDb,
  claim: { now: number; until: number; limit: number },
): Promise<string[]> {
  const result = await sql<{ server_name: string }>`
    UPDATE federation_destinations SET claimed_until_ts = ${claim.until}
    WHERE server_name = ANY(ARRAY(
      SELECT d.server_name FROM federation_destinations d
      WHERE d.next_try_ts <= ${claim.now} AND d.claimed_until_ts <= ${claim.now}
        AND ${isSomethingQueued(sql.ref('d.server_name'))}
        AND NOT ${isBlockedSql(sql`d.server_name`)}
      ORDER BY d.next_try_ts LIMIT ${claim.limit} FOR UPDATE SKIP LOCKED
    ))
    RETURNING server_name
  `.execute(db);
  return result.rows.map((row) => row.server_name);
}

/** Nobody else sends to these servers until `until`; one that was given up meanwhile stays so. */
export async function renewClaims(
  db: FederationDb,
  serverNames: readonly string[],
  { now, until }: { now: number; until: number },
): Promise<void> {
  await db
    .updateTable('federation_destinations')
    .set({ claimed_until_ts: until })
    .where('server_name', 'in', [...serverNames])
    .where('claimed_until_ts', '>', now)
    .execute();
}

/** Gives a server up for others to send to; true when something was queued for it meanwhile. */
export async function releaseDestination(db: FederationDb, serverName: string): Promise<boolean> {
  const result = await sql<{ is_queued: boolean }>`
    UPDATE federation_destinations SET claimed_until_ts = 0 WHERE server_name = ${serverName}
    RETURNING ${isSomethingQueued(sql`${serverName}`)} AS is_queued
  `.execute(db);
  return result.rows[0]?.is_queued ?? false;
}
