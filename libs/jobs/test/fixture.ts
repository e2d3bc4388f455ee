import { z } from 'zod';

import type { Bus } from '@seneschal/bus';
import { type Job, jobKind } from '@seneschal/contracts';
import { createLogger, Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';
import {
  removeKeys,
  startBus,
  type TestDatabase,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';
import { type Kysely, sql } from 'kysely';

import { handleJob, Jobs, jobsMigrations, type StepContext, type Timing } from '../src/index.ts';
import type { JobTables } from '../src/tables.ts';

/** A job that writes `count` numbers, `perStep` in each commit, in the phase `write`; `check` follows it. */
export const writeNumbers = jobKind({
  component: 'roomserver',
  name: 'write_numbers',
  input: z.object({
    target: z.string(),
    count: z.number(),
    perStep: z.number(),
    padding: z.string().optional(),
  }),
  target: (input) => input.target,
  phases: ['write', 'check'],
  weight: 'heavy',
});
export type Context = StepContext<{ target: string; count: number; perStep: number }>;

interface WorkTables {
  work: { target: string; number: number };
}

/** Called before each commit of the phase `write`, to do whatever the test wants to go wrong. */
export type Hook = (context: Context) => Promise<void> | void;

export const quick: Timing = {
  leaseMs: 1000,
  heartbeatMs: 100,
  reconcileMs: 150,
  asleepMs: 600,
  backOffMs: 20,
  maximumAttempts: 4,
};

export interface StageOptions {
  redisUrl?: string;
  timing?: Partial<Timing>;
  retentionMs?: number;
  logger?: Logger;
}

/** A database and keys in Redis of one test file's own; each `process()` has a bus and jobs of its own. */
export class JobStage {
  readonly database: TestDatabase;
  readonly db: Kysely<JobTables & WorkTables>;
  readonly prefix = uniqueName();
  readonly hooks = new Map<string, Hook>();
  readonly #options: StageOptions;
  readonly #lifecycle = new Lifecycle();

  private constructor(database: TestDatabase, options: StageOptions) {
    this.database = database;
    this.db = database.tables();
    this.#options = options;
    this.#lifecycle.add(database);
    const redisUrl = options.redisUrl ?? testServices().redisUrl;
    if (options.redisUrl === undefined) {
      this.#lifecycle.add({ stop: () => removeKeys(redisUrl, this.prefix) });
    }
  }

  static async open(options: StageOptions = {}): Promise<JobStage> {
    const stage = new JobStage(await withDatabase({ jobs: jobsMigrations }), options);
    await sql`CREATE TABLE work (target text, number int)`.execute(stage.db);
    return stage;
  }

  /** What one process has. A worker runs jobs, a gateway only starts them. */
  async process(
    role: 'worker' | 'gateway' = 'worker',
    more: { timing?: Partial<Timing>; prepare?: (bus: Bus) => void } = {},
  ): Promise<{ jobs: Jobs; bus: Bus; stop(): Promise<void> }> {
    const lifecycle = new Lifecycle();
    const { redisUrl, timing, retentionMs, logger } = this.#options;
    const { bus } = await startBus(this.database.database, {
      prefix: this.prefix,
      ...(redisUrl === undefined ? {} : { redisUrl }),
    });
    more.prepare?.(bus);
    lifecycle.add({ stop: () => bus.stop() });
    const jobs = lifecycle.add(
      await Jobs.open({
        bus,
        database: this.database.database,
        logger: logger ?? createLogger('silent'),
        concurrency: 2,
        retentionMs: retentionMs ?? 86_400_000,
        timing: { ...quick, ...timing, ...more.timing },
      }),
    );
    if (role === 'worker') lifecycle.add(await jobs.serve('roomserver', [this.handler()]));
    this.#lifecycle.add(lifecycle);
    return { jobs, bus, stop: () => lifecycle.stop() };
  }

  handler() {
    return handleJob(writeNumbers, {
      write: (context) => this.#write(context),
      check: async (context) => {
        await context.commit(async () => ({ result: { checked: true } }));
        return 'done' as const;
      },
    });
  }

  async #write(context: Context): Promise<'again' | 'done'> {
    const { target, count, perStep } = context.input;
    const from = typeof context.cursor === 'number' ? context.cursor : 0;
    const numbers = Array.from({ length: Math.min(perStep, count - from) }, (_, index) => from + index);
    await this.hooks.get(target)?.(context);
    await context.commit<WorkTables>(async (transaction) => {
      if (numbers.length > 0) {
        await transaction
          .insertInto('work')
          .values(numbers.map((number) => ({ target, number })))
          .execute();
      }
      return { cursor: from + numbers.length, done: numbers.length, total: count };
    });
    return from + numbers.length < count ? 'again' : 'done';
  }

  /** The numbers that were written, in order. */
  async numbers(target: string): Promise<number[]> {
    const rows = await this.db
      .selectFrom('work')
      .select('number')
      .where('target', '=', target)
      .orderBy('number')
      .execute();
    return rows.map((row) => row.number);
  }

  async events(jobId: string): Promise<string[]> {
    const rows = await this.db
      .selectFrom('job_events')
      .select('event')
      .where('job_id', '=', jobId)
      .orderBy('version')
      .execute();
    return rows.map((row) => row.event);
  }

  /** Stops something with the stage, before what it has by now. */
  add(service: Stoppable): void {
    this.#lifecycle.add(service);
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}

export const requestedBy = '@admin:test.example';

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export async function ended(jobs: Jobs, jobId: string): Promise<Job> {
  const job = await jobs.wait(jobId, 8_000);
  if (job === undefined) throw new Error(`There is no job ${jobId}.`);
  return job;
}

/** A promise with its ends in hand. */
export function gate(): { open: () => void; passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

/** The keys of the deliveries in Redis. */
export async function deliveries({ bus }: { bus: Bus }): Promise<string[]> {
  const keys = await bus.redis.keys(`${bus.prefix}:jobs-*:*`);
  return keys.filter((key) => /:[^:]{24,}$/.test(key));
}

/** The same as soon as there are so many. */
export async function queued(process: { bus: Bus }, count = 1): Promise<string[]> {
  for (;;) {
    const keys = await deliveries(process);
    if (keys.length >= count) return keys;
  }
}
