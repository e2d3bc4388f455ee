import { type Kysely, sql } from 'kysely';

import type { JobTables } from './tables.ts';

/** How the children of a job stand. */
export interface Children {
  unfinished: number;
  finished: number;
  /** Of those that are finished. */
  failed: number;
}

export interface EndedChild {
  jobId: string;
  target: string;
  state: 'completed' | 'partial' | 'failed' | 'cancelled';
  /** Why it did not go well, or the first of its items; null where nothing is known. */
  reason: string | null;
}

export async function childrenOf(db: Kysely<JobTables>, jobId: string): Promise<Children> {
  const result = await sql<Children>`
    SELECT count(*) FILTER (WHERE finished_ts IS NULL) AS unfinished,
      count(*) FILTER (WHERE finished_ts IS NOT NULL) AS finished,
      count(*) FILTER (WHERE finished_ts IS NOT NULL AND state <> 'completed') AS failed
    FROM jobs WHERE parent_id = ${jobId}
  `.execute(db);
  return result.rows[0] ?? { unfinished: 0, finished: 0, failed: 0 };
}

/** Children that have ended and of which no item tells yet, nor one that is to be done again; the oldest first. */
export async function endedChildren(
  db: Kysely<JobTables>,
  jobId: string,
  limit: number,
): Promise<EndedChild[]> {
  const result = await sql<EndedChild>`
    SELECT c.job_id AS "jobId", c.target, c.state, coalesce(c.last_error->>'error', (
      SELECT i.reason FROM job_items i WHERE i.job_id = c.job_id AND i.state = 'failed' ORDER BY i.position LIMIT 1
    )) AS reason FROM jobs c
    WHERE c.parent_id = ${jobId} AND c.finished_ts IS NOT NULL AND NOT EXISTS (
      SELECT FROM job_items i WHERE i.job_id = c.parent_id AND i.item = c.target AND i.state <> 'retry'
    ) ORDER BY c.created_ts, c.job_id LIMIT ${limit}
  `.execute(db);
  return result.rows;
}

/** Children that did not go well. */
export async function childrenToRetry(db: Kysely<JobTables>, jobId: string): Promise<string[]> {
  const result = await sql<{ job_id: string }>`
    SELECT job_id FROM jobs WHERE parent_id = ${jobId} AND state IN ('partial', 'failed') ORDER BY created_ts
  `.execute(db);
  return result.rows.map((row) => row.job_id);
}
