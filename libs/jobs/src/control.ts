import { type Kysely, sql } from 'kysely';

import { sqlState } from '@seneschal/database';
import { MatrixError, notFound } from '@seneschal/matrix';

import { type JobRow, type JobTables, now } from './tables.ts';

export type Action = 'cancel' | 'pause' | 'resume' | 'retry';

interface Change {
  /** The states in which the action does something, and what comes of each. */
  becomes: Record<string, string>;
  /** States in which what is asked for is so already. */
  already: readonly string[];
}

const changes: Record<Action, Change> = {
  cancel: {
    becomes: { queued: 'cancelled', paused: 'cancelled', running: 'cancelling', pausing: 'cancelling' },
    already: ['cancelling', 'cancelled'],
  },
  pause: { becomes: { queued: 'paused', running: 'pausing' }, already: ['pausing', 'paused'] },
  resume: { becomes: { paused: 'queued', pausing: 'running' }, already: ['queued', 'running'] },
  retry: { becomes: { partial: 'queued', failed: 'queued' }, already: [] },
};

const uniqueViolation = '23505';

/**
 * Changes what is to become of a job; a runner sees it between two steps. Answers the row as it is then. What
 * is so already changes nothing. Throws M_NOT_FOUND, and M_BAD_STATE (409) where the action makes no sense.
 */
export async function controlJob(db: Kysely<JobTables>, jobId: string, action: Action): Promise<JobRow> {
  const { becomes, already } = changes[action];
  const changed = await change(db, jobId, action, becomes).catch((error: unknown) => {
    if (sqlState(error) !== uniqueViolation) throw error;
    throw new MatrixError(409, 'M_BAD_STATE', 'Another job of this kind is under way for the same target.');
  });
  if (changed !== undefined) return changed;
  const row = await db.selectFrom('jobs').selectAll().where('job_id', '=', jobId).executeTakeFirst();
  if (row === undefined) throw notFound('There is no such job.');
  if (already.includes(row.state)) return row;
  throw new MatrixError(409, 'M_BAD_STATE', `The job is ${row.state}, so there is nothing to ${action}.`);
}

/** A new hand-over has a new epoch, as BullMQ may still hold the delivery of the last one. */
async function change(
  db: Kysely<JobTables>,
  jobId: string,
  action: Action,
  becomes: Change['becomes'],
): Promise<JobRow | undefined> {
  const map = sql`${JSON.stringify(becomes)}::jsonb`;
  const result = await sql<JobRow>`
    WITH ${action === 'retry' ? forgetFailures(jobId) : sql``} changed AS (
      UPDATE jobs SET state = ${map} ->> state,
        epoch = epoch + (${map} ->> state = 'queued')::int,
        finished_ts = CASE WHEN ${map} ->> state = 'cancelled' THEN ${now} END,
        ${action === 'retry' ? again : sql``}
        not_before = 0, version = version + 1, updated_ts = ${now}
      WHERE job_id = ${jobId} AND ${map} ? state
      RETURNING *
    ), event AS (
      INSERT INTO job_events (job_id, version, event, detail, ts)
      SELECT job_id, version, ${action}, jsonb_build_object('state', state), updated_ts FROM changed
    )
    SELECT * FROM changed
  `.execute(db);
  return result.rows[0];
}

/** From here on failures count anew: what the phase then says of an item replaces what it said before. */
const forgetFailures = (jobId: string): typeof again => sql`
  failures AS (
    UPDATE job_items SET state = 'retry' FROM jobs
    WHERE jobs.job_id = ${jobId} AND jobs.state = ANY('{partial,failed}'::text[])
      AND job_items.job_id = jobs.job_id AND job_items.state = 'failed'
    RETURNING job_items.phase, job_items.position
  ),`;

/** A job that failed goes on where it stopped, one that is partial from the first phase with a failure. */
const again = sql`
  phase = CASE state WHEN 'partial' THEN coalesce((SELECT phase FROM failures ORDER BY position LIMIT 1), phase)
    ELSE phase END,
  cursor = CASE state WHEN 'partial' THEN NULL ELSE cursor END,
  done = greatest(0, done - (SELECT count(*) FROM failures)),
  failed_items = 0, attempts = 0, is_retry = true, last_error = NULL,`;
