import { type Kysely, sql } from 'kysely';

import type { Logger, Stoppable } from '@seneschal/observability';

import type { JobQueues } from './queue.ts';
import { held, type JobRow, type JobTables, now } from './tables.ts';
import type { JobWorker } from './worker.ts';

export interface ReconcilerOptions {
  db: Kysely<JobTables>;
  queues: JobQueues;
  component: string;
  workers: ReadonlyMap<string, JobWorker>;
  everyMs: number;
  asleepMs: number;
  retentionMs: number;
  logger: Logger;
}

/** Rows that are put back in one round: the ones that are to run next. */
const batch = 100;
const cleanEveryMs = 600_000;
const cleanBatch = 500;

/**
 * Brings back what Redis lost: rows that are due, or whose runner's lease has run out, are put into the queue.
 * Of what is there already BullMQ takes no second one. It also wakes workers, and forgets old jobs.
 */
export class Reconciler implements Stoppable {
  readonly #options: ReconcilerOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #cleaner: NodeJS.Timeout;
  #working: Promise<void> | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.reconcile(), options.everyMs);
    this.#cleaner = setInterval(() => void this.#clean(), cleanEveryMs);
    void this.#clean();
  }

  async reconcile(): Promise<void> {
    this.#working ??= this.#round().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  async #round(): Promise<void> {
    const { db, queues, component, workers, asleepMs, logger } = this.#options;
    try {
      const due = await dueJobs(db, component);
      if (due.length === 0) return;
      await queues.addAll(due);
      for (const [weight, worker] of workers) {
        const waits = Math.max(0, ...due.filter((row) => row.weight === weight).map((row) => row.due_ms));
        if (waits < asleepMs || worker.idleMs < asleepMs) continue;
        logger.warn({ component, weight }, 'a worker slept in front of waiting jobs and is woken');
        await worker.wake();
      }
    } catch (error) {
      logger.debug({ component, error }, 'jobs could not be reconciled');
    }
  }

  async #clean(): Promise<void> {
    const { db, retentionMs, logger } = this.#options;
    try {
      while ((await forgetJobs(db, retentionMs, cleanBatch)) === cleanBatch) {
        // Until there are none.
      }
    } catch (error) {
      logger.debug({ error }, 'old jobs could not be forgotten');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#cleaner);
    await this.#working;
  }
}

type DueJob = Pick<JobRow, 'job_id' | 'component' | 'weight' | 'epoch'> & { due_ms: number };

async function dueJobs(db: Kysely<JobTables>, component: string): Promise<DueJob[]> {
  const result = await sql<DueJob>`
    SELECT job_id, component, weight, epoch,
      ${now} - CASE state WHEN 'queued' THEN greatest(not_before, updated_ts) ELSE lease_until END AS due_ms
    FROM jobs
    WHERE component = ${component} AND finished_ts IS NULL
      AND ((state = 'queued' AND not_before <= ${now}) OR (state IN ${held} AND lease_until < ${now}))
    ORDER BY created_ts LIMIT ${batch}
  `.execute(db);
  return result.rows;
}

/** Forgets jobs that ended longer ago than `retentionMs`; answers how many. */
export async function forgetJobs(db: Kysely<JobTables>, retentionMs: number, limit: number): Promise<number> {
  const result = await sql`
    WITH old AS (
      DELETE FROM jobs WHERE job_id IN (
        SELECT job_id FROM jobs WHERE finished_ts < ${now} - ${retentionMs}::bigint LIMIT ${limit}
      ) RETURNING job_id
    ), items AS (DELETE FROM job_items USING old WHERE job_items.job_id = old.job_id),
    events AS (DELETE FROM job_events USING old WHERE job_events.job_id = old.job_id)
    SELECT job_id FROM old
  `.execute(db);
  return result.rows.length;
}
