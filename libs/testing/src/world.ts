import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '@seneschal/config';
import { accountTypes, roomserver, userapi } from '@seneschal/contracts';
import { lastPosition } from '@seneschal/database';
import { type Homeserver, type HomeserverOptions, startHomeserver } from '@seneschal/homeserver';
import { hashToken, newToken } from '@seneschal/http';
import { createLogger, Lifecycle, type LogLevel, type Stoppable } from '@seneschal/observability';
import { hashPassword } from '@seneschal/userapi';
import { type Kysely, sql } from 'kysely';

import { removeKeys } from './buses.ts';
import { TestClient } from './client.ts';
import { copyDatabase, dropDatabase } from './databases.ts';
import { send, type TestAnswer, type TestRequest } from './http.ts';
import { allMigrations } from './migrations.ts';
import { testServices, uniqueName } from './services.ts';
import { urlOf } from './templates.ts';

export interface WorldOptions {
  /** Settings by their variables, such as `{ SENESCHAL_RATE_LIMITS: 'on' }`. */
  settings?: Record<string, string>;
  /** What `logs` collects; nothing unless given. */
  logLevel?: LogLevel;
  redisUrl?: string;
  /** How patient the runners of jobs are. */
  jobTiming?: NonNullable<HomeserverOptions['jobTiming']>;
  /** null for a server without one. */
  sharedSecret?: null;
}

export interface Account {
  admin?: boolean;
  /** Without one nobody can log in by password, and the test does not wait for the hash. */
  password?: string;
  displayname?: string;
  deviceId?: string;
}

/** A whole homeserver in this process, with a database and keys in Redis of its own. */
export interface World extends Stoppable {
  readonly url: string;
  readonly serverName: string;
  /** The secret of /_synapse/admin/v1/register. */
  readonly sharedSecret: string;
  readonly homeserver: Homeserver;
  /** For looking at what is stored. */
  readonly sql: Kysely<unknown>;
  /** The lines logged so far. */
  readonly logs: readonly string[];
  request(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
  /** Makes an account with a session. */
  register(localpart: string, account?: Account): Promise<TestClient>;
  /** Waits until all jobs have ended, and everything that was committed has reached every consumer. */
  settled(): Promise<void>;
}

export const testServerName = 'test.example';

/** Starts a world; the end of the test stops it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const lifecycle = new Lifecycle();
  try {
    return await open(options, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function open(options: WorldOptions, lifecycle: Lifecycle): Promise<World> {
  const logs: string[] = [];
  const sharedSecret = randomBytes(24).toString('base64url');
  const config = loadConfig(undefined, await settingsOf(options, sharedSecret, lifecycle));
  const logger = createLogger(options.logLevel ?? 'silent', { write: (line) => void logs.push(line) });
  const jobTiming = options.jobTiming === undefined ? {} : { jobTiming: options.jobTiming };
  const homeserver = lifecycle.add(
    await startHomeserver(config, { logger, checkAnswers: true, ...jobTiming }),
  );
  const { database } = homeserver.platform;
  return {
    url: homeserver.address,
    serverName: config.server_name,
    sharedSecret,
    homeserver,
    sql: database.tables(),
    logs,
    request: (method, path, request) => send(homeserver.address, method, path, request),
    register: (localpart, account) => register(homeserver, localpart, account),
    settled: () => settled(homeserver),
    stop: () => lifecycle.stop(),
  };
}

async function settingsOf(
  options: WorldOptions,
  sharedSecret: string,
  lifecycle: Lifecycle,
): Promise<Record<string, string>> {
  const redisUrl = options.redisUrl ?? testServices().redisUrl;
  const prefix = uniqueName();
  const folder = await mkdtemp(join(tmpdir(), 'seneschal-world-'));
  lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
  const name = await copyDatabase(allMigrations);
  lifecycle.add({ stop: () => dropDatabase(name) });
  if (options.redisUrl === undefined) lifecycle.add({ stop: () => removeKeys(redisUrl, prefix) });
  return {
    SENESCHAL_SERVER_NAME: testServerName,
    SENESCHAL_LISTEN: '127.0.0.1:0',
    SENESCHAL_DATA_DIR: folder,
    SENESCHAL_DATABASE_URL: urlOf(name),
    SENESCHAL_DATABASE_CONNECTIONS: '12',
    SENESCHAL_REDIS_URL: redisUrl,
    SENESCHAL_REDIS_PREFIX: prefix,
    ...(options.sharedSecret === null ? {} : { SENESCHAL_REGISTRATION_SHARED_SECRET: sharedSecret }),
    SENESCHAL_RATE_LIMITS: 'off',
    SENESCHAL_BCRYPT_COST: '4',
    SENESCHAL_SHUTDOWN_TIMEOUT: '1s',
    ...options.settings,
  };
}

async function register(
  { platform, address }: Homeserver,
  localpart: string,
  account: Account = {},
): Promise<TestClient> {
  const token = newToken();
  const { password, displayname } = account;
  const { userId, deviceId = '' } = await platform.bus.call(userapi.createAccount, {
    localpart,
    passwordHash: password === undefined ? null : await hashPassword(password, 4),
    accountType: account.admin === true ? accountTypes.admin : accountTypes.user,
    ...(displayname === undefined ? {} : { displayname }),
    device: {
      tokenHash: hashToken(token),
      connection: { ip: '127.0.0.1', userAgent: 'test' },
      ...(account.deviceId === undefined ? {} : { deviceId: account.deviceId }),
    },
  });
  return new TestClient(address, { userId, deviceId, token });
}

/** A consumer may write to another log or start a job, so it goes round until no log has grown. */
async function settled(homeserver: Homeserver): Promise<void> {
  const db = homeserver.platform.database.tables();
  const logs = [userapi.userapiOutput.table, roomserver.roomserverOutput.table];
  const ends = (): Promise<number[]> => Promise.all(logs.map((log) => lastPosition(db, log)));
  for (let before: number[] | undefined, after = await ends(); String(before) !== String(after);) {
    before = after;
    await homeserver.platform.jobs.settled();
    await homeserver.catchUp();
    after = await ends();
  }
  await allApplied(db);
}

/** Throws when a consumer is stuck: what it cannot apply is in the log. */
async function allApplied(db: Kysely<unknown>): Promise<void> {
  for (const log of [userapi.userapiOutput, roomserver.roomserverOutput]) {
    const end = await lastPosition(db, log.table);
    const behind = await sql<{ consumer: string }>`
      SELECT consumer FROM bus_checkpoints WHERE consumer = ANY(${[...log.consumers]}) AND position < ${end}
    `.execute(db);
    const names = behind.rows.map((row) => row.consumer);
    if (names.length > 0) throw new Error(`${names.join(', ')} could not apply ${log.table} up to ${end}.`);
  }
}
