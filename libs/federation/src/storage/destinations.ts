import { sql } from 'kysely';

import type { DestinationRecord, DestinationState, FederationForAdmin } from '@seneschal/contracts';

import { isBlockedSql } from './blocked-servers.ts';
import { isSomethingQueued } from './claims.ts';
import type { FederationDb } from './tables.ts';

type Filter = Parameters<FederationForAdmin['destinations']>[0];
type Page = Parameters<FederationForAdmin['destinations']>[1];

interface Row {
  server_name: string;
  state: DestinationState;
  queue_length: number;
  failures: number;
  next_try_ts: number;
  last_success_ts: number | null;
  last_failure_ts: number | null;
  last_error: string | null;
}

/** Servers that anything was sent to, by name. What is queued is counted for those of the page alone. */
export async function selectDestinations(
  db: FederationDb,
  { state, contains = '', serverName }: Filter & { serverName?: string } = {},
  { after = '', limit }: Page = { limit: 1 },
): Promise<DestinationRecord[]> {
  const result = await sql<Row>`
    SELECT s.*, (SELECT count(*) FROM federation_queue q WHERE q.server_name = s.server_name)
      + (SELECT count(*) FROM federation_edu_queue q WHERE q.server_name = s.server_name) AS queue_length
    FROM federation_destinations d, LATERAL (
      SELECT d.*, CASE
        WHEN ${isBlockedSql(sql`d.server_name`)} THEN 'blocked'
        WHEN d.failures > 0 THEN 'backing_off'
        WHEN ${isSomethingQueued(sql.ref('d.server_name'))} THEN 'sending'
        ELSE 'idle' END AS state
    ) AS s
    WHERE d.server_name > ${after} AND (${serverName ?? null}::text IS NULL OR d.server_name = ${serverName ?? null})
      AND strpos(d.server_name, ${contains}) > 0 AND (${state ?? null}::text IS NULL OR s.state = ${state ?? null})
    ORDER BY d.server_name LIMIT ${limit}
  `.execute(db);
  return result.rows.map((row) => ({
    serverName: row.server_name,
    state: row.state,
    queueLength: row.queue_length,
    failures: row.failures,
    lastSuccessTs: row.last_success_ts,
    lastFailureTs: row.last_failure_ts,
    lastError: row.last_error,
    nextTryTs: row.state === 'backing_off' ? row.next_try_ts : null,
  }));
}

/**
 * Has a server tried at once that shows itself while it is left alone; false when it is not, or was tried within `pauseMs`
 * before `now`: one that sends and does not answer is not asked any oftener for it.
 */
export async function endBackOff(
  db: FederationDb,
  serverName: string,
  { now, pauseMs }: { now: number; pauseMs: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('federation_destinations')
    .set({ next_try_ts: 0 })
    .where('server_name', '=', serverName)
    .where('next_try_ts', '>', now)
    .where('last_failure_ts', '<=', now - pauseMs)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Has a server tried at once; false when nothing was ever sent to it. A delivery that is under way goes on. */
export async function resetBackOff(db: FederationDb, serverName: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('federation_destinations')
    .set({ next_try_ts: 0, failures: 0 })
    .where('server_name', '=', serverName)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
