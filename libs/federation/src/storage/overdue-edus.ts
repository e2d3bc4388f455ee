import { sql } from 'kysely';

import { transact } from '@seneschal/database';

import { removeUnqueued } from './edus.ts';
import type { FederationDb } from './tables.ts';

export interface EduBounds {
  /** Messages to devices that were queued before are dropped, in ms since 1970. */
  before: number;
  /** And of those that wait for one server all but the newest so many. */
  most: number;
}

/** Rows of one server that are looked at in one transaction. */
const batch = 1000;

/**
 * Drops messages to devices that wait for servers which do not answer, and are too old or too many: the oldest first. What
 * is told of the devices of a user stays, as there are only so many of it and a server must not miss the last. Answers how
 * many were dropped by server, of a bounded number; nothing while another process is at it.
 */
export async function dropOverdueEdus(
  db: FederationDb,
  { before, most }: EduBounds,
): Promise<Map<string, number>> {
  return transact(db, async (transaction) => {
    const lock = await sql<{ is_mine: boolean }>`
      SELECT pg_try_advisory_xact_lock(hashtextextended('federation_edus', 0)) AS is_mine
    `.execute(transaction);
    if (lock.rows[0]?.is_mine !== true) return new Map<string, number>();
    const dropped = await sql<{ server_name: string; edu_id: number }>`
      DELETE FROM federation_edu_queue q USING (
        SELECT d.server_name, w.edu_id FROM federation_destinations d CROSS JOIN LATERAL (
          SELECT q.edu_id FROM federation_edu_queue q JOIN federation_edus e USING (edu_id)
          WHERE q.server_name = d.server_name AND e.subject IS NULL ORDER BY q.edu_id DESC OFFSET ${most} LIMIT 1
        ) AS last CROSS JOIN LATERAL (
          SELECT q.edu_id FROM federation_edu_queue q JOIN federation_edus e USING (edu_id)
          WHERE q.server_name = d.server_name AND q.edu_id <= last.edu_id AND e.subject IS NULL
          ORDER BY q.edu_id LIMIT ${batch}
        ) AS w WHERE d.failures > 0
        UNION
        SELECT d.server_name, w.edu_id FROM federation_destinations d CROSS JOIN LATERAL (
          SELECT q.edu_id, e.queued_ts FROM federation_edu_queue q JOIN federation_edus e USING (edu_id)
          WHERE q.server_name = d.server_name AND e.subject IS NULL ORDER BY q.edu_id LIMIT ${batch}
        ) AS w WHERE d.failures > 0 AND w.queued_ts < ${before}
      ) AS overdue
      WHERE q.server_name = overdue.server_name AND q.edu_id = overdue.edu_id
      RETURNING q.server_name, q.edu_id
    `.execute(transaction);
    await removeUnqueued(transaction, [...new Set(dropped.rows.map((row) => row.edu_id))]);
    const counts = new Map<string, number>();
    for (const row of dropped.rows) counts.set(row.server_name, (counts.get(row.server_name) ?? 0) + 1);
    return counts;
  });
}
