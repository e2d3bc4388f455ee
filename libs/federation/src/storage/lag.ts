import { sql } from 'kysely';

import { federation, type FederationFact } from '@seneschal/contracts';
import { appendToLog, transact } from '@seneschal/database';

import { isBlockedSql } from './blocked-servers.ts';
import type { FederationDb } from './tables.ts';

interface Row {
  server_name: string;
  failures: number;
  last_error: string | null;
  /** Since when it is known to be behind; null while it is not. */
  lagging_since_ts: number | null;
  /** When the oldest event that waits for it was queued; null when none does. */
  oldest_ts: number | null;
  pdus: number;
}

/**
 * Finds the servers for which an event has waited for longer than `afterMs`, and those that no longer are behind;
 * one that is blocked is not. Each beginning and each end of an episode becomes a fact, in the transaction that notes it. Answers the facts; none
 * while another process is at it.
 */
export async function noteLags(
  db: FederationDb,
  { now, afterMs }: { now: number; afterMs: number },
): Promise<FederationFact[]> {
  return transact(db, async (transaction) => {
    const lock = await sql<{ is_mine: boolean }>`
      SELECT pg_try_advisory_xact_lock(hashtextextended('federation_lag', 0)) AS is_mine`.execute(
      transaction,
    );
    if (lock.rows[0]?.is_mine !== true) return [];
    const changed = await sql<Row>`
      WITH changed AS MATERIALIZED (
        SELECT d.server_name, d.failures, d.last_error, d.lagging_since_ts, first.queued_ts AS oldest_ts
        FROM federation_destinations d LEFT JOIN LATERAL (
          SELECT o.queued_ts FROM federation_queue q JOIN federation_outgoing o USING (position)
          WHERE q.server_name = d.server_name AND NOT ${isBlockedSql(sql`d.server_name`)}
          ORDER BY q.position LIMIT 1
        ) first ON true
        WHERE (d.lagging_since_ts IS NOT NULL) <> (coalesce(first.queued_ts, ${now}) < ${now - afterMs}::bigint)
      ), noted AS (
        UPDATE federation_destinations d
        SET lagging_since_ts = CASE WHEN c.lagging_since_ts IS NULL THEN c.oldest_ts END
        FROM changed c WHERE d.server_name = c.server_name
      )
      SELECT c.*, (SELECT count(*) FROM federation_queue q WHERE q.server_name = c.server_name) AS pdus
      FROM changed c ORDER BY c.server_name
    `.execute(transaction);
    const facts = changed.rows.map((row) => factOf(row, now));
    if (facts.length > 0) await appendToLog(transaction, federation.federationOutput.table, facts);
    return facts;
  });
}

function factOf(row: Row, now: number): FederationFact {
  const { server_name: destination, lagging_since_ts: laggingSince, failures, pdus } = row;
  if (laggingSince !== null) {
    return {
      kind: 'destination_recovered',
      destination,
      sinceTs: laggingSince,
      lagMs: Math.max(now - laggingSince, 0),
    };
  }
  const sinceTs = row.oldest_ts ?? now;
  const lagMs = Math.max(now - sinceTs, 0);
  return {
    kind: 'destination_lagging',
    destination,
    sinceTs,
    lagMs,
    pdus,
    failures,
    lastError: row.last_error,
  };
}

export interface QueueTotals {
  /** Servers by state. */
  states: { state: string; count: number }[];
  /** Events and EDUs that wait, once for each server. */
  pdus: number;
  edus: number;
  /** When the oldest event was queued; null when none waits. */
  oldestTs: number | null;
}

/** What waits for all servers together. */
export async function queueTotals(db: FederationDb): Promise<QueueTotals> {
  const states = await sql<{ state: string; count: number }>`
    SELECT state, count(*) AS count FROM (
      SELECT CASE
        WHEN ${isBlockedSql(sql`d.server_name`)} THEN 'blocked'
        WHEN d.failures > 0 THEN 'backing_off'
        WHEN EXISTS (SELECT FROM federation_queue q WHERE q.server_name = d.server_name)
          OR EXISTS (SELECT FROM federation_edu_queue q WHERE q.server_name = d.server_name) THEN 'sending'
        ELSE 'idle' END AS state
      FROM federation_destinations d
    ) AS d GROUP BY state
  `.execute(db);
  const queue = await sql<{ pdus: number; edus: number; oldest_ts: number | null }>`
    SELECT (SELECT count(*) FROM federation_queue) AS pdus,
      (SELECT count(*) FROM federation_edu_queue) AS edus, (
      SELECT o.queued_ts FROM federation_queue q JOIN federation_outgoing o USING (position)
      ORDER BY q.position LIMIT 1
    ) AS oldest_ts
  `.execute(db);
  const { pdus = 0, edus = 0, oldest_ts: oldestTs = null } = queue.rows[0] ?? {};
  return { states: states.rows, pdus, edus, oldestTs };
}
