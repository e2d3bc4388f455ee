import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Bus } from '@seneschal/bus';
import { type Database, openDatabase } from '@seneschal/database';
import { Jobs } from '@seneschal/jobs';
import { createLogger, Lifecycle } from '@seneschal/observability';
import { type PrivateRedis, startPrivateRedis, uniqueName } from '@seneschal/testing';

import { type Program, startProgram } from '../shared/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Postgres {
  url: string;
  stop(): Promise<void>;
}

/** Two workers as processes of their own, on a PostgreSQL and a Redis that can be stopped, emptied and started. */
export class Servers {
  readonly redis: PrivateRedis;
  readonly #lifecycle: Lifecycle;
  readonly #folder: string;
  readonly #prefix = uniqueName();
  /** By name, which is also that of their connections in PostgreSQL. */
  readonly #workers = new Map<string, Program>();
  #postgres: Postgres;
  #started = 0;
  #bus: Bus | undefined;
  #jobs: Jobs | undefined;
  #database: Database | undefined;

  private constructor(folder: string, postgres: Postgres, redis: PrivateRedis, lifecycle: Lifecycle) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.redis = redis;
    this.#lifecycle = lifecycle;
  }

  static async start(): Promise<Servers> {
    const lifecycle = new Lifecycle();
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-faults-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    const postgres = await startPostgres(folder);
    const redis = lifecycle.add(await startPrivateRedis());
    const servers = new Servers(folder, postgres, redis, lifecycle);
    lifecycle.add({ stop: () => servers.#postgres.stop() });
    lifecycle.add({ stop: () => servers.#end() });
    try {
      // The first one makes the tables.
      await servers.addWorker();
      await servers.addWorker();
      await servers.#connect();
    } catch (error) {
      await lifecycle.stop();
      throw error;
    }
    return servers;
  }

  get databaseUrl(): string {
    return this.#postgres.url;
  }

  get bus(): Bus {
    if (this.#bus === undefined) throw new Error('The servers have not started.');
    return this.#bus;
  }

  get jobs(): Jobs {
    if (this.#jobs === undefined) throw new Error('The servers have not started.');
    return this.#jobs;
  }

  get database(): Database {
    if (this.#database === undefined) throw new Error('The servers have not started.');
    return this.#database;
  }

  /** How many there are. */
  get workers(): number {
    return this.#workers.size;
  }

  /** The gateway's side, in this process. */
  async #connect(): Promise<void> {
    const logger = createLogger('silent');
    const url = this.#postgres.url;
    this.#database = openDatabase({ url, maxConnections: 8, applicationName: 'faults', logger });
    this.#lifecycle.add(this.#database);
    this.#bus = await Bus.open({
      redisUrl: this.redis.url,
      prefix: this.#prefix,
      database: this.#database,
      logger,
      concurrency: 1,
    });
    this.#lifecycle.add(this.#bus);
    const options = { bus: this.#bus, database: this.#database, logger };
    this.#jobs = await Jobs.open({ ...options, concurrency: 1, retentionMs: 86_400_000 });
    this.#lifecycle.add(this.#jobs);
  }

  async addWorker(): Promise<void> {
    const name = `worker-${(this.#started += 1)}`;
    const url = new URL(this.#postgres.url);
    url.searchParams.set('application_name', name);
    const worker = await startProgram(join(root, 'dist', 'worker.mjs'), {
      cwd: root,
      env: {
        SENESCHAL_SERVER_NAME: 'test.example',
        SENESCHAL_LISTEN: '127.0.0.1:0',
        SENESCHAL_DATA_DIR: this.#folder,
        SENESCHAL_DATABASE_URL: url.href,
        SENESCHAL_DATABASE_CONNECTIONS: '8',
        SENESCHAL_REDIS_URL: this.redis.url,
        SENESCHAL_REDIS_PREFIX: this.#prefix,
        SENESCHAL_JOB_CONCURRENCY: '1',
        SENESCHAL_SHUTDOWN_TIMEOUT: '2s',
      },
    });
    this.#workers.set(name, worker);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#workers.get(name)?.signal(signal);
  }

  /** Ends a worker with SIGKILL, for good. Answers when, in ms since 1970. */
  async kill(name: string): Promise<number> {
    const worker = this.#workers.get(name);
    if (worker === undefined) throw new Error(`There is no worker ${name}.`);
    const at = Date.now();
    await worker.kill();
    this.#workers.delete(name);
    return at;
  }

  async stopPostgres(): Promise<void> {
    await this.#postgres.stop();
  }

  async startPostgres(): Promise<void> {
    const { url } = this.#postgres;
    this.#postgres = await startPostgres(this.#folder);
    if (this.#postgres.url !== url) throw new Error('PostgreSQL came back at another address.');
  }

  async #end(): Promise<void> {
    const ended = [...this.#workers.keys()].map(async (name) => {
      this.signal(name, 'SIGCONT');
      await this.kill(name);
    });
    await Promise.all(ended);
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}

/** The set-up is made of plain JavaScript, as it runs before anything is built. */
async function startPostgres(dataDir: string): Promise<Postgres> {
  const load = (name: string): Promise<unknown> => import(join(root, 'tools', 'setup', name));
  const { startPostgres: start } = (await load('postgres.mjs')) as {
    startPostgres: (options: { dataDir: string; log: unknown; durable: boolean }) => Promise<Postgres>;
  };
  const { createLog } = (await load('log.mjs')) as { createLog: () => unknown };
  return start({ dataDir, log: createLog(), durable: false });
}
