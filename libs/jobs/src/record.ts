import { randomBytes } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { JobError, JobKind } from '@seneschal/contracts';

import type { Item } from './handler.ts';
import { itemsStatement } from './items.ts';
import { type JobTables, now } from './tables.ts';

/** What was done at once, as there was too little of it for a job to be started. */
export interface Done {
  requestedBy: string;
  items: readonly Item[];
  /** How long it took, in ms. */
  tookMs: number;
  /** Why it could not be done, or not to its end. */
  error?: JobError;
}

/**
 * Keeps as a job that has ended what was done without one: it is listed, tells of its items, and can be retried as
 * any other. One statement; answers the ID.
 */
export async function recordJob<Input extends object>(
  db: Kysely<JobTables>,
  kind: JobKind<Input>,
  given: Input,
  done: Done,
): Promise<string> {
  const input = kind.input.parse(given);
  const jobId = randomBytes(12).toString('hex');
  const phase = kind.phases.at(-1) ?? kind.phases[0];
  const failed = done.items.filter(({ state }) => state === 'failed').length;
  const skipped = done.items.filter(({ state }) => state === 'skipped').length;
  const state = done.error !== undefined ? 'failed' : failed > 0 ? 'partial' : 'completed';
  const count = done.items.length;
  const tookMs = Math.max(0, Math.round(done.tookMs));
  await sql`
    WITH job AS (
      INSERT INTO jobs (job_id, component, kind, target, weight, keeps, input, state, phase, done, total,
        failed_items, skipped_items, requested_by, version, last_error, busy_ms, created_ts, started_ts, updated_ts,
        finished_ts)
      VALUES (${jobId}, ${kind.component}, ${kind.name}, ${kind.target(input)}, ${kind.weight}, ${kind.keeps},
        ${JSON.stringify(input)}::jsonb, ${state}, ${phase}, ${count}::bigint, ${count}::bigint, ${failed}, ${skipped},
        ${done.requestedBy}, 2, ${done.error === undefined ? null : JSON.stringify(done.error)}::jsonb,
        ${tookMs}::bigint, ${now} - ${tookMs}::bigint, ${now} - ${tookMs}::bigint, ${now}, ${now})
      RETURNING created_ts, finished_ts
    ), items AS (${itemsStatement({ job_id: jobId, phase, keeps: kind.keeps }, done.items)})
    INSERT INTO job_events (job_id, version, event, detail, ts)
    SELECT ${jobId}, 1, 'started', jsonb_build_object('phase', ${phase}::text), created_ts FROM job
    UNION ALL SELECT ${jobId}, 2, ${state}, ${JSON.stringify(done.error ?? {})}::jsonb, finished_ts FROM job
  `.execute(db);
  return jobId;
}
