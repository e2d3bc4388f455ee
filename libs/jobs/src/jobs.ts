import type { Kysely } from 'kysely';

import type { Bus } from '@seneschal/bus';
import { type ComponentName, isFinished, type Job, type JobKind, type JobReads } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { isMatrixError } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Stoppable, type Tracer } from '@seneschal/observability';

import type { RunDeps } from './context.ts';
import { type Action, controlJob } from './control.ts';
import type { JobHandler } from './handler.ts';
import { jobsMigrations } from './migrations.ts';
import { JobQueues } from './queue.ts';
import { type Done, recordJob } from './record.ts';
import { jobsReads } from './reads.ts';
import { Reconciler } from './reconciler.ts';
import { insertJob, type StartOptions } from './start.ts';
import { jobOf, type JobRow, type JobTables } from './tables.ts';
import { Watchers } from './watchers.ts';
import { defaultTiming, JobWorker, type Timing } from './worker.ts';

export interface JobsOptions {
  bus: Pick<Bus, 'call' | 'redis' | 'workers' | 'subscribe' | 'prefix'>;
  database: Database;
  logger: Logger;
  tracer?: Tracer | undefined;
  /** Heavy jobs that a process runs at once, per component. */
  concurrency: number;
  /** How long finished jobs are kept. */
  retentionMs: number;
  timing?: Partial<Timing>;
}

/** What starts jobs and waits for them. */
export type StartJobs = Pick<Jobs, 'start' | 'wait'>;

/** Light jobs that a process runs at once, per component. */
const lightConcurrency = 8;

/** Durable jobs: a row in PostgreSQL is the truth, BullMQ runs it. */
export class Jobs implements Stoppable {
  readonly reads: JobReads;
  readonly #options: JobsOptions;
  readonly #timing: Timing;
  readonly #db: Kysely<JobTables>;
  readonly #lifecycle = new Lifecycle();
  readonly #queues: JobQueues;
  readonly #watchers: Watchers;
  readonly #adding = new Set<Promise<void>>();

  private constructor(options: JobsOptions) {
    const { bus, database } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#db = database.tables<JobTables>();
    this.reads = jobsReads(database);
    this.#queues = this.#lifecycle.add(new JobQueues(bus.redis, bus.prefix));
    this.#watchers = this.#lifecycle.add(new Watchers(bus, this.#db));
  }

  /** Brings the tables of the jobs up to date. */
  static async open(options: JobsOptions): Promise<Jobs> {
    await migrate(options.database, 'jobs', jobsMigrations);
    return new Jobs(options);
  }

  /**
   * Starts a job. When one of the same kind and target is under way, or one with the same idempotency key is
   * known, that one is answered. The row is written when this resolves; the queue may learn of it later.
   */
  async start<Input extends object>(
    kind: JobKind<Input>,
    input: Input,
    options: StartOptions,
  ): Promise<{ jobId: string; isNew: boolean }> {
    const { row, isNew } = await this.#start(kind, input, options);
    return { jobId: row.job_id, isNew };
  }

  /** Keeps as a job that has ended what was done without one; answers its ID. */
  async record<Input extends object>(kind: JobKind<Input>, input: Input, done: Done): Promise<string> {
    return recordJob(this.#db, kind, input, done);
  }

  async #start<Input extends object>(
    kind: JobKind<Input>,
    input: Input,
    options: StartOptions,
  ): Promise<{ row: JobRow; isNew: boolean }> {
    const started = await insertJob(this.#db, kind, input, options);
    if (started.isNew) this.#enqueue(started.row);
    return started;
  }

  /** Cancels, pauses, resumes or retries; see `controlJob`. */
  async control(jobId: string, action: Action): Promise<Job> {
    const row = await controlJob(this.#db, jobId, action);
    if (row.state === 'queued') this.#enqueue(row);
    if (isFinished(row.state)) this.#watchers.left(jobId);
    else this.#watchers.changed(jobId);
    return jobOf(row);
  }

  /** As `control`; that there is nothing to be done again is no error. */
  async #retry(jobId: string): Promise<void> {
    await this.control(jobId, 'retry').catch((error: unknown) => {
      if (!isMatrixError(error) || error.status >= 500) throw error;
    });
  }

  /** Waits until a job is finished, for so long at the most. Answers how it is then; undefined when there is none. */
  async wait(jobId: string, timeoutMs: number, signal?: AbortSignal): Promise<Job | undefined> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const job = await this.reads.get(jobId);
      const left = end - Date.now();
      const isOver = left <= 0 || signal?.aborted === true || this.#watchers.isStopped;
      if (job === undefined || isFinished(job.state) || isOver) return job;
      await this.#watchers.next(jobId, 'end', left, signal);
    }
  }

  /** Waits until a job has changed since a version, for so long at the most. */
  async changeAfter(jobId: string, version: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.#watchers.next(jobId, { after: version }, timeoutMs, signal);
  }

  /** Whether nobody waits for jobs here any more. */
  get isStopped(): boolean {
    return this.#watchers.isStopped;
  }

  /** Ends all waiting for jobs, so that requests which wait can end. */
  async stopWaiting(): Promise<void> {
    await this.#watchers.stop();
  }

  /** Runs the jobs of a component in this process until the service is stopped. */
  async serve(component: ComponentName, handlers: readonly JobHandler[]): Promise<Stoppable> {
    const { bus, logger, concurrency, retentionMs } = this.#options;
    checkHandlers(component, handlers);
    const lifecycle = new Lifecycle();
    const workers = new Map<string, JobWorker>();
    for (const weight of new Set(handlers.map((handler) => handler.kind.weight))) {
      const worker = new JobWorker({
        component,
        weight,
        concurrency: weight === 'heavy' ? concurrency : lightConcurrency,
        // All of them, so that a kind whose weight has changed since is run all the same.
        handlers,
        connection: bus.workers,
        prefix: bus.prefix,
        queues: this.#queues,
        deps: this.#runDeps(),
        timing: this.#timing,
      });
      workers.set(weight, lifecycle.add(worker));
      await worker.ready();
    }
    const { reconcileMs: everyMs, asleepMs } = this.#timing;
    const given = { db: this.#db, queues: this.#queues, component, workers, logger };
    lifecycle.add(new Reconciler({ ...given, everyMs, asleepMs, retentionMs }));
    return lifecycle;
  }

  /** Waits until no job is to be run any more. */
  async settled(): Promise<void> {
    for (;;) {
      const unfinished = await this.#db
        .selectFrom('jobs')
        .select('job_id')
        .where('finished_ts', 'is', null)
        .where('state', '<>', 'paused')
        .orderBy('created_ts')
        .executeTakeFirst();
      if (unfinished === undefined) return;
      const job = await this.reads.get(unfinished.job_id);
      if (job === undefined || isFinished(job.state) || job.state === 'paused') continue;
      await this.#watchers.next(job.jobId, { after: job.version }, 10_000);
    }
  }

  #runDeps(): RunDeps {
    const { bus, logger, tracer } = this.#options;
    return {
      db: this.#db,
      bus,
      logger,
      tracer,
      leaseMs: this.#timing.leaseMs,
      start: async (kind, input, options) => {
        const { row } = await this.#start(kind, input, options);
        return { jobId: row.job_id, parentId: row.parent_id };
      },
      retry: (jobId) => this.#retry(jobId),
      changed: (jobId) => this.#watchers.changed(jobId),
      left: (jobId) => this.#watchers.left(jobId),
    };
  }

  /** Not waited for: what Redis does not take now the reconciler brings later. */
  #enqueue(row: JobRow): void {
    const adding = this.#queues
      .add(row)
      .catch(() => undefined)
      .finally(() => this.#adding.delete(adding));
    this.#adding.add(adding);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#adding);
    await this.#lifecycle.stop();
  }
}

function checkHandlers(component: ComponentName, handlers: readonly JobHandler[]): void {
  const names = new Set<string>();
  for (const { kind } of handlers) {
    if (kind.component !== component || names.has(kind.name)) {
      throw new Error(`${component} cannot run the jobs ${kind.component}.${kind.name}.`);
    }
    names.add(kind.name);
  }
}
