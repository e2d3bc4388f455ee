import { type Kysely, sql } from 'kysely';

import type { Job, JobState } from '@seneschal/contracts';

import { held, jobOf, type JobRow, type JobTables, now } from './tables.ts';

export interface JobCount {
  kind: string;
  state: JobState;
  count: number;
  /** Of queued jobs: how long the one that is due for longest has been due, in ms. */
  dueMs: number;
}

/** How many jobs of each kind stand where. Finished ones are counted as long as they are kept. */
export async function jobCounts(db: Kysely<JobTables>): Promise<JobCount[]> {
  const found = await sql<JobCount>`
    SELECT kind, state, count(*) AS count,
      CASE state WHEN 'queued' THEN greatest(${now} - min(not_before), 0) ELSE 0 END AS "dueMs"
    FROM jobs GROUP BY kind, state
  `.execute(db);
  return found.rows;
}

/** Jobs of one kind that are not run although they should be. */
export interface LateJobs {
  kind: string;
  component: string;
  count: number;
  /** For how long the first of them should have been run, in ms. */
  ms: number;
  jobId: string;
}

/** Jobs that are due, or whose runner has not been heard of, for longer than `lateMs`. */
export async function lateJobs(db: Kysely<JobTables>, lateMs: number): Promise<LateJobs[]> {
  const found = await sql<LateJobs>`
    SELECT kind, component, count(*) AS count, max(ms) AS ms, (array_agg(job_id ORDER BY ms DESC))[1] AS "jobId"
    FROM (
      SELECT kind, component, job_id,
        ${now} - CASE state WHEN 'queued' THEN greatest(not_before, updated_ts) ELSE lease_until END AS ms
      FROM jobs WHERE finished_ts IS NULL AND (state = 'queued' OR state IN ${held})
    ) AS waiting
    WHERE ms > ${lateMs} GROUP BY kind, component ORDER BY max(ms) DESC
  `.execute(db);
  return found.rows;
}

const mostFinished = 1000;

/** Jobs that came to one of some ends after a time, the first one first; at most 1,000. */
export async function finishedJobs(
  db: Kysely<JobTables>,
  states: readonly JobState[],
  since: number,
): Promise<Job[]> {
  const found = await sql<JobRow>`
    SELECT * FROM jobs WHERE finished_ts > ${since} AND state = ANY(${[...states]}::text[])
    ORDER BY finished_ts LIMIT ${mostFinished}
  `.execute(db);
  return found.rows.map(jobOf);
}
