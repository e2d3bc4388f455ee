import { type Job as BullJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

import { closeWorker } from '@seneschal/bus';
import { isFinished } from '@seneschal/contracts';
import { continueTrace, currentTraceId, type Stoppable } from '@seneschal/observability';

import { childrenOf } from './children.ts';
import { Run, type RunDeps } from './context.ts';
import type { JobHandler } from './handler.ts';
import { type Delivery, type JobQueues, queueName } from './queue.ts';
import { type Outcome, runJob } from './run-job.ts';
import { claim, renew, wakeWaiting } from './runs.ts';
import type { JobRow } from './tables.ts';

export interface Timing {
  /** How long a runner that says nothing is taken to be alive. */
  leaseMs: number;
  heartbeatMs: number;
  /** How often rows are looked for that Redis has lost. */
  reconcileMs: number;
  /** What waits longer, in front of a worker that has nothing to do, waits in front of one that is asleep. */
  asleepMs: number;
  backOffMs: number;
  maximumAttempts: number;
}

/** A killed worker's jobs are taken over after leaseMs + reconcileMs at the latest. */
export const defaultTiming: Timing = {
  leaseMs: 5000,
  heartbeatMs: 1000,
  reconcileMs: 2000,
  asleepMs: 10_000,
  backOffMs: 500,
  maximumAttempts: 12,
};

export interface WorkerOptions {
  component: string;
  weight: 'light' | 'heavy';
  concurrency: number;
  handlers: readonly JobHandler[];
  connection: Redis;
  prefix: string;
  queues: JobQueues;
  deps: RunDeps;
  timing: Timing;
}

/** Runs the jobs of one component and weight, some of them at once. */
export class JobWorker implements Stoppable {
  readonly #options: WorkerOptions;
  readonly #handlers: ReadonlyMap<string, JobHandler>;
  readonly #running = new Map<string, Run>();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #heartbeat: NodeJS.Timeout;
  #renewing: Promise<void> | undefined;
  #worker: Worker;
  #stopping = false;
  #lastDelivery = Date.now();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.kind.name, handler]));
    this.#worker = this.#listen();
    this.#heartbeat = setInterval(() => this.#beat(), options.timing.heartbeatMs);
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** For how long it has had nothing to do; 0 while it has. */
  get idleMs(): number {
    return this.#running.size > 0 ? 0 : Date.now() - this.#lastDelivery;
  }

  /** Listens anew: a worker may be asleep after Redis was away, with jobs waiting in front of it. */
  async wake(): Promise<void> {
    if (this.#stopping) return;
    const asleep = this.#worker;
    this.#worker = this.#listen();
    this.#lastDelivery = Date.now();
    await asleep.close(true).catch(() => undefined);
  }

  #listen(): Worker {
    const { component, weight, connection, prefix, concurrency, deps } = this.#options;
    const worker = new Worker(queueName(component, weight), (job) => this.#receive(job), {
      connection,
      prefix,
      concurrency,
      lockDuration: 5000,
      stalledInterval: 2000,
      // A delivery that is given up on is made up for by the reconciler.
      maxStalledCount: 1,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', (error) => deps.logger.debug({ error: error.message, component }, 'job worker'));
    return worker;
  }

  #receive(job: BullJob): Promise<void> {
    const delivery = this.#deliver(job).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
    return delivery;
  }

  /** Runs what was delivered, unless it is in other hands or not due. Never rejects: the row tells how it went. */
  async #deliver(job: BullJob): Promise<void> {
    const { deps, timing } = this.#options;
    const { jobId } = job.data as Delivery;
    this.#lastDelivery = Date.now();
    if (this.#stopping || this.#running.has(jobId)) return;
    try {
      const row = await claim(deps.db, jobId, timing.leaseMs);
      if (row === undefined) return;
      await this.#runTraced(row);
    } catch (error) {
      deps.logger.warn({ jobId, error }, 'a job was left to be taken up again');
    } finally {
      this.#lastDelivery = Date.now();
    }
  }

  /** A run is a part of the trace of the request that started the job, however much later it comes. */
  async #runTraced(row: JobRow): Promise<void> {
    const { deps } = this.#options;
    const { job_id: jobId, kind, trace_parent: parent, trace_id: traceId, epoch } = row;
    const attributes = { 'seneschal.job.id': jobId, 'seneschal.job.kind': kind, 'seneschal.job.run': epoch };
    const span = deps.tracer?.start(`job ${kind}`, {
      kind: 'consumer',
      parent: parent ?? undefined,
      attributes,
    });
    try {
      const outcome = await continueTrace(span, traceId ?? currentTraceId(), () =>
        this.#run(new Run(row, deps)),
      );
      span?.describe({ 'seneschal.job.outcome': outcome.kind });
      span?.end(outcome.kind === 'finished' ? (outcome.row.last_error ?? undefined) : undefined);
    } catch (error) {
      span?.end(error);
      throw error;
    }
  }

  async #run(run: Run): Promise<Outcome> {
    const { deps, timing } = this.#options;
    const { job_id: jobId, kind } = run.row;
    this.#running.set(jobId, run);
    try {
      deps.changed(jobId);
      const outcome = await runJob(run, this.#handlers.get(kind), deps, {
        isStopping: () => this.#stopping,
        maximumAttempts: timing.maximumAttempts,
        backOffMs: timing.backOffMs,
      });
      await this.#afterwards(run, outcome);
      return outcome;
    } finally {
      this.#running.delete(jobId);
      deps.left(jobId);
    }
  }

  /** Hands on what is to be run further. Redis may be away: then the reconciler does it. */
  async #afterwards(run: Run, outcome: Outcome): Promise<void> {
    const { queues, deps } = this.#options;
    const { row } = run;
    if (outcome.kind === 'requeued') {
      await queues.add({ ...row, epoch: row.epoch + 1 }, outcome.delayMs).catch(() => undefined);
      // A child that ended after the step had looked found a parent that was not waiting yet.
      if (run.endedSeen !== undefined) {
        const { finished } = await childrenOf(deps.db, row.job_id);
        if (finished > run.endedSeen) await this.#wakeWaiting(row.job_id);
      }
    }
    if (outcome.kind === 'finished' && row.parent_id !== null) await this.#wakeWaiting(row.parent_id);
  }

  async #wakeWaiting(jobId: string): Promise<void> {
    const { queues, deps } = this.#options;
    const parent = await wakeWaiting(deps.db, jobId);
    if (parent !== undefined) await queues.add(parent).catch(() => undefined);
  }

  /** One round at a time: while a row is locked, more of them would take all connections. */
  #beat(): void {
    this.#renewing ??= this.#renewAll().finally(() => {
      this.#renewing = undefined;
    });
  }

  async #renewAll(): Promise<void> {
    const { deps, timing } = this.#options;
    for (const run of this.#running.values()) {
      const state = await renew(deps.db, run.row, timing.leaseMs).catch(() => run.row.state);
      if (state === undefined || state === 'cancelling' || state === 'pausing') {
        if (state !== undefined) run.row.state = state;
        run.abort.abort();
      } else if (!isFinished(state)) {
        run.row.state = state;
      }
    }
  }

  /** Leaves its jobs at their next checkpoint, to be taken up by another worker. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const run of this.#running.values()) run.abort.abort();
    await closeWorker(this.#worker, this.#options.connection, () => Promise.all(this.#deliveries));
    clearInterval(this.#heartbeat);
    await this.#renewing;
  }
}
