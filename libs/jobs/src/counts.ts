import { type Kysely, sql } from 'kysely';

import type { JobState } from '@seneschal/contracts';

import { type JobTables, now } from './tables.ts';

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
