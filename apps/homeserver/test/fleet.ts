import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Lifecycle } from '@seneschal/observability';
import {
  removeKeys,
  send,
  type TestAnswer,
  type TestRequest,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';

import { ourServices, readServices } from '../../../tools/compose/compose-file.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const replicas = 2;

export type ServiceName = 'worker' | 'client-gateway' | 'admin-gateway' | 'federation-gateway';

export interface User {
  userId: string;
  token: string;
}

/** One process of a service. */
interface Replica {
  /** Also the name of its connections in PostgreSQL. */
  name: string;
  address: string;
  child: ChildProcess;
}

/** The services of docker-compose.yml as processes, two of each, on one database and one Redis. */
export class Fleet {
  readonly secret = randomBytes(24).toString('base64url');
  readonly databaseUrl: string;
  readonly #folder: string;
  readonly #redisPrefix: string;
  readonly #lifecycle: Lifecycle;
  readonly #replicas = new Map<string, Replica[]>();
  readonly #settings: Record<string, string>;
  #asked = 0;
  #started = 0;

  private constructor(given: {
    url: string;
    folder: string;
    prefix: string;
    lifecycle: Lifecycle;
    settings: Record<string, string>;
  }) {
    this.databaseUrl = given.url;
    this.#folder = given.folder;
    this.#redisPrefix = given.prefix;
    this.#lifecycle = given.lifecycle;
    this.#settings = given.settings;
  }

  /** @param settings by their variables, besides those of the tests */
  static async start(settings: Record<string, string> = {}): Promise<Fleet> {
    await build();
    const lifecycle = new Lifecycle();
    const { url } = lifecycle.add(await withDatabase());
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-fleet-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true }) });
    const prefix = uniqueName();
    lifecycle.add({ stop: () => removeKeys(testServices().redisUrl, prefix) });
    const fleet = new Fleet({ url, folder, prefix, lifecycle, settings });
    lifecycle.add({ stop: () => fleet.#end() });
    try {
      await fleet.#startAll();
    } catch (error) {
      await lifecycle.stop();
      throw error;
    }
    return fleet;
  }

  /** Sends a request to the replicas of a gateway in turn. */
  ask(service: ServiceName, method: string, path: string, request: TestRequest = {}): Promise<TestAnswer> {
    this.#asked += 1;
    return this.askReplica(this.#asked % replicas, service, method, path, request);
  }

  askReplica(
    index: number,
    service: ServiceName,
    method: string,
    path: string,
    request: TestRequest = {},
  ): Promise<TestAnswer> {
    const replica = this.#replicas.get(service)?.[index];
    if (replica === undefined) throw new Error(`There is no ${service} ${index}.`);
    return send(replica.address, method, path, request);
  }

  /** Makes an account by the shared secret: the nonce comes from one admin gateway and is used at the other. */
  async register(username: string, isAdmin = false): Promise<User> {
    const path = '/_synapse/admin/v1/register';
    const nonce = (await this.askReplica(0, 'admin-gateway', 'GET', path)).body['nonce'] as string;
    const password = `password of ${username}`;
    const mac = createHmac('sha1', this.secret)
      .update([nonce, username, password, isAdmin ? 'admin' : 'notadmin'].join('\0'))
      .digest('hex');
    const body = { nonce, username, password, admin: isAdmin, mac };
    const answer = await this.askReplica(1, 'admin-gateway', 'POST', path, { body });
    if (answer.status !== 200) throw new Error(`${username} could not register: ${answer.text}`);
    return { userId: String(answer.body['user_id']), token: String(answer.body['access_token']) };
  }

  /** Ends one process with SIGKILL, and starts another in its place. */
  async replace(name: string): Promise<void> {
    for (const [service, all] of this.#replicas) {
      const index = all.findIndex((replica) => replica.name === name);
      const replica = all[index];
      if (replica === undefined) continue;
      const ended = once(replica.child, 'exit');
      replica.child.kill('SIGKILL');
      await ended;
      all[index] = await this.#launch(service);
      return;
    }
    throw new Error(`There is no process ${name}.`);
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async #startAll(): Promise<void> {
    const services = ourServices(this.#services()).map(([name]) => name);
    const started = services.flatMap((service) =>
      Array.from({ length: replicas }, async () => ({ service, replica: await this.#launch(service) })),
    );
    for (const result of await Promise.allSettled(started)) {
      if (result.status === 'rejected') throw result.reason;
      const { service, replica } = result.value;
      this.#replicas.set(service, [...(this.#replicas.get(service) ?? []), replica]);
    }
  }

  #services(): ReturnType<typeof readServices> {
    return readServices({
      SENESCHAL_SERVER_NAME: 'test.example',
      SENESCHAL_REGISTRATION_SHARED_SECRET: this.secret,
      SENESCHAL_MEILISEARCH_API_KEY: this.secret,
      POSTGRES_PASSWORD: 'unused',
    });
  }

  /** Runs the command that docker-compose.yml has for a service, with the addresses of the tests put in. */
  async #launch(service: string): Promise<Replica> {
    const { command = '', environment } = this.#services()[service] ?? {};
    const name = `${service}-${(this.#started += 1)}`;
    const [program = '', ...args] = command.split(' ');
    const url = new URL(this.databaseUrl);
    url.searchParams.set('application_name', name);
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: root,
      env: {
        ...environment,
        SENESCHAL_LISTEN: '127.0.0.1:0',
        SENESCHAL_METRICS_LISTEN: '127.0.0.1:0',
        SENESCHAL_DATA_DIR: this.#folder,
        SENESCHAL_DATABASE_URL: url.href,
        SENESCHAL_DATABASE_CONNECTIONS: '8',
        SENESCHAL_REDIS_URL: testServices().redisUrl,
        SENESCHAL_REDIS_PREFIX: this.#redisPrefix,
        SENESCHAL_RATE_LIMITS: 'off',
        SENESCHAL_BCRYPT_COST: '4',
        SENESCHAL_SHUTDOWN_TIMEOUT: '2s',
        ...this.#settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { name, child, address: await addressOf(child, name) };
  }

  /** Stops all processes as Compose does; each has to end by itself and without a fault. */
  async #end(): Promise<void> {
    const all = [...this.#replicas.values()].flat();
    const codes = await Promise.all(
      all.map(async ({ name, child }) => {
        const ended = once(child, 'exit') as Promise<[number | null]>;
        child.kill('SIGTERM');
        return `${name}: ${String((await ended)[0])}`;
      }),
    );
    const faults = codes.filter((code) => !code.endsWith(': 0'));
    if (faults.length > 0) throw new Error(`Processes did not stop as they should: ${faults.join(', ')}`);
  }
}

/** Where a process listens, from the line that it logs. */
async function addressOf(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${String(code)} before it listened.`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const address = /"address":"([^"]+)"/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
}

/** Brings dist/ up to date, as `npm test` has done already. */
async function build(): Promise<void> {
  const child = spawn(process.execPath, ['tools/build.mjs'], { cwd: root, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('The build failed: see `npm run build`.');
}
