import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';

import type { JobError } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { Progress } from './handler.ts';
import { itemsStatement } from './items.ts';
import { held, type JobRow, type JobTables, now } from './tables.ts';

/** A runner's hold on a job, and where the runner has brought it. */
export type Hold = Pick<JobRow, 'job_id' | 'epoch' | 'phase' | 'cursor'>;

type Db = Kysely<JobTables> | Transaction<JobTables>;

/**
 * True for the row of a job that is in these hands, and stands where they have brought it: in a crash PostgreSQL may
 * lose the last commits that nobody waited for, and what came before them is not to be built upon then.
 */
function isHeld({ job_id: jobId, epoch, phase, cursor }: Hold): RawBuilder<unknown> {
  return sql`job_id = ${jobId} AND epoch = ${epoch} AND state IN ${held} AND phase = ${phase}
    AND coalesce(cursor, 'null') = ${JSON.stringify(cursor ?? null)}::jsonb`;
}

/** In what a statement answers: its commit is not waited for. For what is done again when it is lost. */
const unawaited = sql`set_config('synchronous_commit', 'off', true)`;

/**
 * Takes a job that is due, or whose runner has not been heard of for the length of its lease; the epoch then
 * shuts that runner out. Undefined when there is nothing to take.
 */
export async function claim(db: Db, jobId: string, leaseMs: number): Promise<JobRow | undefined> {
  const result = await sql<JobRow>`
    WITH before AS MATERIALIZED (
      SELECT job_id, state, started_ts FROM jobs
      WHERE job_id = ${jobId} AND ((state = 'queued' AND not_before <= ${now})
        OR (state IN ${held} AND lease_until < ${now}))
      FOR UPDATE
    ), claimed AS (
      UPDATE jobs SET state = CASE jobs.state WHEN 'queued' THEN 'running' ELSE jobs.state END,
        epoch = epoch + 1, version = version + 1, lease_until = ${now} + ${leaseMs}::bigint,
        started_ts = coalesce(jobs.started_ts, ${now}), updated_ts = ${now},
        done = CASE WHEN keeps = 'all' AND before.state <> 'queued' THEN (
          SELECT count(*) FROM job_items i WHERE i.job_id = jobs.job_id AND i.state <> 'retry'
        ) ELSE done END
      FROM before WHERE jobs.job_id = before.job_id
      RETURNING jobs.*, before.state AS state_before, before.started_ts IS NULL AS is_first
    ), event AS (
      INSERT INTO job_events (job_id, version, event, detail, ts)
      SELECT job_id, version, CASE state_before WHEN 'queued' THEN 'started' ELSE 'taken_over' END,
        jsonb_build_object('phase', phase), updated_ts
      FROM claimed WHERE is_first OR state_before <> 'queued'
    )
    SELECT * FROM claimed
  `.execute(db);
  return result.rows[0];
}

/** Prolongs the lease. Answers the state; undefined when the job is in other hands. */
export async function renew(db: Db, hold: Hold, leaseMs: number): Promise<JobRow['state'] | undefined> {
  const result = await sql<{ state: JobRow['state'] }>`
    UPDATE jobs SET lease_until = ${now} + ${leaseMs}::bigint
    WHERE job_id = ${hold.job_id} AND epoch = ${hold.epoch} AND state IN ${held} RETURNING state
  `.execute(db);
  return result.rows[0]?.state;
}

interface Given {
  leaseMs: number;
  busyMs: number;
}

/** Saves what a step did, in the step's own transaction. Undefined when the job is in other hands. */
export async function saveProgress(
  db: Db,
  hold: Hold,
  progress: Progress,
  given: Given,
): Promise<JobRow['state'] | undefined> {
  const result = await sql<{ state: JobRow['state'] }>`
    ${update(hold, progress, given)} RETURNING state
  `.execute(db);
  return result.rows[0]?.state;
}

/**
 * Saves what a step did that has nothing else to store, in one statement, and does not wait for the disk: the step
 * is one that may be done again. Undefined when the job is in other hands.
 */
export async function saveAlone(
  db: Db,
  job: Hold & Pick<JobRow, 'keeps'>,
  progress: Progress,
  given: Given,
): Promise<JobRow['state'] | undefined> {
  const items = progress.items ?? [];
  const result = await sql<{ state: JobRow['state'] }>`
    WITH saved AS (${update(job, progress, given)} RETURNING state, ${unawaited})
    ${items.length === 0 ? sql`` : sql`, items AS (${itemsStatement(job, items, sql`FROM saved`)})`}
    SELECT state FROM saved
  `.execute(db);
  return result.rows[0]?.state;
}

function update(hold: Hold, progress: Progress, { leaseMs, busyMs }: Given): RawBuilder<unknown> {
  const items = progress.items ?? [];
  const done = sql`done + ${progress.done ?? 0}::bigint`;
  const total =
    progress.left === undefined
      ? sql`coalesce(${progress.total ?? null}::bigint, total)`
      : sql`${done} + ${progress.left}::bigint`;
  const count = (state: string): number => items.filter((item) => item.state === state).length;
  return sql`
    UPDATE jobs SET
      cursor = CASE WHEN ${progress.cursor !== undefined} THEN ${JSON.stringify(progress.cursor ?? null)}::jsonb ELSE cursor END,
      done = ${done},
      total = CASE WHEN ${total} < ${done} THEN ${done} ELSE ${total} END,
      result = CASE WHEN ${progress.result === undefined} THEN result
        ELSE result || ${JSON.stringify(progress.result ?? {})}::jsonb END,
      failed_items = failed_items + ${count('failed')}::bigint,
      skipped_items = skipped_items + ${count('skipped')}::bigint,
      busy_ms = busy_ms + ${Math.round(busyMs)}::bigint,
      attempts = 0, lease_until = ${now} + ${leaseMs}::bigint, version = version + 1, updated_ts = ${now}
    WHERE ${isHeld(hold)}`;
}

/** Goes on to the next phase, whose cursor is null. False when the job is in other hands. */
export async function enterPhase(db: Db, hold: Hold, phase: string): Promise<boolean> {
  const changed = sql`phase = ${phase}, cursor = NULL, attempts = 0`;
  return changeHeld(db, hold, changed, 'phase', { phase }, unawaited);
}

/** Gives a job back to the queue: for another worker, after an error, or until there is more to do, which is no event. */
export async function requeue(
  db: Db,
  hold: Hold,
  options: { delayMs: number; event?: string; error?: JobError },
): Promise<boolean> {
  const { delayMs, event, error } = options;
  const failed = sql`, attempts = attempts + 1, last_error = ${JSON.stringify(error ?? null)}::jsonb`;
  const changed = sql`state = CASE state WHEN 'running' THEN 'queued' WHEN 'pausing' THEN 'paused' ELSE state END,
    epoch = epoch + 1, lease_until = 0, not_before = ${now} + ${delayMs}::bigint ${error === undefined ? sql`` : failed}`;
  return changeHeld(db, hold, changed, event, error === undefined ? {} : { ...error });
}

export async function pause(db: Db, hold: Hold): Promise<boolean> {
  return changeHeld(db, hold, sql`state = 'paused', lease_until = 0`, 'paused', {});
}

/** Ends a job. What a retry did not speak of any more needed nothing. Answers the row; undefined when in other hands. */
export async function finish(
  db: Db,
  hold: Hold,
  how: { state: 'ended' | 'cancelled' } | { state: 'failed'; error: JobError },
): Promise<JobRow | undefined> {
  const error = how.state === 'failed' ? JSON.stringify(how.error) : null;
  const result = await sql<JobRow>`
    WITH mine AS MATERIALIZED (
      SELECT job_id FROM jobs WHERE ${isHeld(hold)} FOR UPDATE
    ), settled AS (
      UPDATE job_items i SET state = 'skipped', reason = 'There was nothing left to do.' FROM mine
      WHERE i.job_id = mine.job_id AND i.state = 'retry' AND ${how.state === 'ended'} RETURNING 1
    ), counts AS (
      SELECT count(*) FILTER (WHERE i.state = 'failed' OR (i.state = 'retry' AND ${how.state !== 'ended'})) AS failed,
        count(*) FILTER (WHERE i.state = 'skipped') + (SELECT count(*) FROM settled) AS skipped
      FROM job_items i, mine WHERE i.job_id = mine.job_id
    ), changed AS (
      UPDATE jobs SET
        state = CASE ${how.state} WHEN 'ended' THEN CASE WHEN counts.failed > 0 THEN 'partial' ELSE 'completed' END
          ELSE ${how.state} END,
        failed_items = counts.failed, skipped_items = counts.skipped, last_error = ${error}::jsonb,
        total = CASE ${how.state} WHEN 'ended' THEN greatest(total, done) ELSE total END,
        lease_until = 0, version = version + 1, updated_ts = ${now}, finished_ts = ${now}
      FROM counts, mine WHERE jobs.job_id = mine.job_id RETURNING jobs.*
    ), event AS (
      INSERT INTO job_events (job_id, version, event, detail, ts)
      SELECT job_id, version, state, coalesce(last_error, '{}'), updated_ts FROM changed
    )
    SELECT * FROM changed
  `.execute(db);
  return result.rows[0];
}

/** Lets a job look at once at what it waits for. Answers its row when it was waiting. */
export async function wakeWaiting(db: Db, jobId: string): Promise<JobRow | undefined> {
  // Locked first: it may be on its way back to the queue.
  const result = await sql<JobRow>`
    WITH parent AS MATERIALIZED (SELECT job_id, state FROM jobs WHERE job_id = ${jobId} FOR UPDATE)
    UPDATE jobs SET not_before = 0, epoch = epoch + 1 FROM parent
    WHERE jobs.job_id = parent.job_id AND parent.state = 'queued' RETURNING jobs.*
  `.execute(db);
  return result.rows[0];
}

async function changeHeld(
  db: Db,
  hold: Hold,
  changed: ReturnType<typeof sql>,
  event: string | undefined,
  detail: JsonObject,
  also: RawBuilder<unknown> = sql`NULL AS nothing`,
): Promise<boolean> {
  const result = await sql`
    WITH changed AS (
      UPDATE jobs SET ${changed}, version = version + 1, updated_ts = ${now}
      WHERE ${isHeld(hold)}
      RETURNING job_id, version, updated_ts, ${also}
    ), event AS (
      INSERT INTO job_events (job_id, version, event, detail, ts)
      SELECT job_id, version, ${event ?? ''}, ${JSON.stringify(detail)}::jsonb, updated_ts
      FROM changed WHERE ${event !== undefined}
    )
    SELECT 1 FROM changed
  `.execute(db);
  return result.rows.length > 0;
}
