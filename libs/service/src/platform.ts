import { sql } from 'kysely';

import { Bus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type Database, openDatabase } from '@seneschal/database';
import { Jobs, type Timing } from '@seneschal/jobs';
import {
  createLogger,
  Lifecycle,
  type Logger,
  Metrics,
  type Stoppable,
  type Tracer,
} from '@seneschal/observability';

import { Webhooks } from '@seneschal/webhooks';

import { measure } from './measure.ts';
import { codeOf, StartError } from './start-error.ts';
import { openTracing } from './tracing.ts';

/** What every process stands on. What is added to `lifecycle` is stopped before these. */
export interface Platform extends Stoppable {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Undefined while nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly database: Database;
  readonly bus: Bus;
  readonly jobs: Jobs;
  readonly webhooks: Webhooks;
  readonly lifecycle: Lifecycle;
}

export interface PlatformOptions {
  /** Shown by PostgreSQL as the name of the connections. */
  name: string;
  logger?: Logger;
  /** How often logs are looked at without being woken, in ms. */
  pollMs?: number;
  /** How patient the runners of jobs are; for the tests. */
  jobTiming?: Partial<Timing>;
}

const oldestPostgres = 140_000;

/** Opens the database and the bus. Throws StartError or RedisRefused when one of them cannot be used. */
export async function openPlatform(config: Config, options: PlatformOptions): Promise<Platform> {
  const lifecycle = new Lifecycle();
  const logger = options.logger ?? createLogger(config.log_level);
  const metrics = new Metrics();
  const poll = options.pollMs === undefined ? {} : { pollMs: options.pollMs };
  try {
    const tracer = await openTracing(config, { name: options.name, logger, metrics, lifecycle });
    const database = lifecycle.add(
      openDatabase({
        url: config.database_url,
        maxConnections: config.database_connections,
        applicationName: `seneschal ${options.name}`,
        logger,
      }),
    );
    await checkPostgres(database);
    const bus = lifecycle.add(
      await Bus.open({
        redisUrl: config.redis_url,
        prefix: config.redis_prefix,
        database,
        logger,
        concurrency: config.command_concurrency,
        metrics,
        tracer,
        ...poll,
      }),
    );
    const jobs = lifecycle.add(
      await Jobs.open({
        bus,
        database,
        logger,
        tracer,
        concurrency: config.job_concurrency,
        retentionMs: config.job_retention,
        ...(options.jobTiming === undefined ? {} : { timing: options.jobTiming }),
      }),
    );
    const webhooks = lifecycle.add(await Webhooks.open({ bus, database, logger, config, ...poll }));
    measure({ metrics, database, bus, webhooks });
    const stop = (): Promise<void> => lifecycle.stop();
    return { config, logger, metrics, tracer, database, bus, jobs, webhooks, lifecycle, stop };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

/** Opens the platform and starts something on it; when that fails, everything is closed again. */
export async function startOn<T>(
  config: Config,
  options: PlatformOptions,
  start: (platform: Platform) => Promise<T>,
): Promise<T> {
  const platform = await openPlatform(config, options);
  try {
    return await start(platform);
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

async function checkPostgres(database: Database): Promise<void> {
  const version = await sql<{ version: number }>`
    SELECT current_setting('server_version_num')::int AS version`
    .execute(database.tables())
    .catch((error: unknown) => {
      throw new StartError(
        `PostgreSQL cannot be reached at the address in database_url (${codeOf(error)}).`,
        { cause: error },
      );
    });
  if ((version.rows[0]?.version ?? 0) < oldestPostgres) {
    throw new StartError('PostgreSQL is too old: Seneschal needs version 14 or later.');
  }
}
