import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Lifecycle } from '@seneschal/observability';
import {
  allMigrations,
  makeCertificate,
  peerSettings,
  removeKeys,
  TestClient,
  type TestDatabase,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';

import { HttpClient } from '../shared/client.ts';
import { registerUser, text, type User } from '../shared/matrix.ts';
import { type Program, startProgram } from '../shared/program.ts';
import { Proxy } from './proxy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const clock = fileURLToPath(new URL('./clock.mjs', import.meta.url));

/**
 * A homeserver as a process of its own, with a database of its own. Others reach it at the address of its proxy, which
 * is its name; the tests reach it past that.
 */
export class PeerServer {
  readonly proxy: Proxy;
  readonly database: TestDatabase;
  readonly #secret = randomBytes(24).toString('base64url');
  readonly #prefix = uniqueName();
  readonly #folder: string;
  readonly #users = new Map<string, User>();
  readonly #lifecycle: Lifecycle;
  #program: Program | undefined;

  private constructor(folder: string, proxy: Proxy, database: TestDatabase, lifecycle: Lifecycle) {
    this.#folder = folder;
    this.proxy = proxy;
    this.database = database;
    this.#lifecycle = lifecycle;
  }

  static async start(): Promise<PeerServer> {
    const lifecycle = new Lifecycle();
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-peer-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    await makeCertificate(folder);
    const proxy = lifecycle.add(await Proxy.start());
    const database = lifecycle.add(await withDatabase(allMigrations));
    const server = new PeerServer(folder, proxy, database, lifecycle);
    lifecycle.add({ stop: () => removeKeys(testServices().redisUrl, server.#prefix) });
    lifecycle.add({ stop: () => server.kill() });
    try {
      await server.run();
    } catch (error) {
      await lifecycle.stop();
      throw error;
    }
    return server;
  }

  get serverName(): string {
    return this.proxy.address;
  }

  /** Where clients reach it. */
  get url(): string {
    return this.#program?.addresses[0] ?? '';
  }

  /** Starts the process again, with a clock that is off by so many ms. */
  async run(clockMs = 0): Promise<void> {
    this.#program = await startProgram(join(root, 'dist', 'homeserver.mjs'), {
      cwd: root,
      env: { ...this.#settings(), PEER_CLOCK_MS: String(clockMs) },
      imports: clockMs === 0 ? [] : [clock],
      listeners: 2,
    });
    this.proxy.forwardTo(Number(new URL(this.#program.addresses[1] ?? '').port));
  }

  /** Ends the process with SIGKILL, if it runs. */
  async kill(): Promise<void> {
    const running = this.#program;
    this.#program = undefined;
    await running?.kill();
    this.proxy.forwardTo(undefined);
  }

  /** Makes an account; `client` answers who acts for it, also after the server was started again. */
  async register(localpart: string, { admin = false } = {}): Promise<TestClient> {
    const client = new HttpClient(this.url);
    this.#users.set(localpart, await registerUser(client, this.#secret, localpart, admin));
    client.close();
    return this.client(localpart);
  }

  async client(localpart: string): Promise<TestClient> {
    const user = this.#users.get(localpart);
    if (user === undefined) throw new Error(`There is no user ${localpart}.`);
    const unnamed = new TestClient(this.url, { ...user, deviceId: '' });
    const { device_id: deviceId } = await unnamed.call('GET', '/account/whoami');
    return new TestClient(this.url, { ...user, deviceId: text(deviceId) });
  }

  /** A further session of a user. */
  async logIn(localpart: string): Promise<TestClient> {
    const { userId, password = '' } = this.#users.get(localpart) ?? {};
    const nobody = new TestClient(this.url, { userId: '', deviceId: '', token: '' });
    const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: localpart }, password };
    const session = await nobody.call('POST', '/login', body);
    return new TestClient(this.url, {
      userId: text(userId),
      deviceId: text(session['device_id']),
      token: text(session['access_token']),
    });
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  #settings(): Record<string, string> {
    return {
      ...peerSettings,
      SENESCHAL_SERVER_NAME: this.serverName,
      SENESCHAL_LISTEN: '127.0.0.1:0',
      SENESCHAL_FEDERATION_LISTEN: '127.0.0.1:0',
      SENESCHAL_FEDERATION_TLS_CERTIFICATE: join(this.#folder, 'cert.pem'),
      SENESCHAL_FEDERATION_TLS_KEY: join(this.#folder, 'key.pem'),
      SENESCHAL_FEDERATION_RETRY_MIN: '500ms',
      SENESCHAL_FEDERATION_RETRY_MAX: '1s',
      SENESCHAL_DATA_DIR: this.#folder,
      SENESCHAL_DATABASE_URL: this.database.url,
      SENESCHAL_DATABASE_CONNECTIONS: '8',
      SENESCHAL_REDIS_URL: testServices().redisUrl,
      SENESCHAL_REDIS_PREFIX: this.#prefix,
      SENESCHAL_REGISTRATION_SHARED_SECRET: this.#secret,
      SENESCHAL_RATE_LIMITS: 'off',
      SENESCHAL_BCRYPT_COST: '4',
      SENESCHAL_LOG_LEVEL: 'info',
      SENESCHAL_SHUTDOWN_TIMEOUT: '2s',
    };
  }
}
