import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Lifecycle, type Stoppable } from '@seneschal/observability';
import { removeKeys, type TestDatabase, testServices, uniqueName, withDatabase } from '@seneschal/testing';

import { HttpClient } from '../shared/client.ts';
import { startFleet } from '../shared/fleet.ts';

const programs = join(import.meta.dirname, '..', '..', 'dist');
/** Each client has a long-poll beside what it does. */
const connections = 256;

/** A server in several processes, with a database of its own. */
export interface Stage extends Stoppable {
  database: TestDatabase;
  secret: string;
  admin: HttpClient;
  /** Of each client gateway. */
  clients: HttpClient[];
}

export async function startStage(options: { workers: number; gateways: number }): Promise<Stage> {
  const lifecycle = new Lifecycle();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-load-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    const database = lifecycle.add(await withDatabase());
    const secret = randomBytes(32).toString('base64url');
    const env = environmentOf(folder, database.url, secret);
    lifecycle.add({ stop: () => removeKeys(env.SENESCHAL_REDIS_URL, env.SENESCHAL_REDIS_PREFIX) });
    const fleet = lifecycle.add(await startFleet({ programs, env, ...options }));
    const [admin, ...clients] = [fleet.adminAddress, ...fleet.clientAddresses].map((address) =>
      lifecycle.add(clientOf(address)),
    );
    if (admin === undefined) throw new Error('There is no gateway.');
    return { database, secret, admin, clients, stop: () => lifecycle.stop() };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

function environmentOf(folder: string, databaseUrl: string, secret: string) {
  return {
    SENESCHAL_SERVER_NAME: 'test.example',
    SENESCHAL_DATA_DIR: folder,
    SENESCHAL_DATABASE_URL: databaseUrl,
    SENESCHAL_DATABASE_CONNECTIONS: '6',
    SENESCHAL_REDIS_URL: testServices().redisUrl,
    SENESCHAL_REDIS_PREFIX: uniqueName(),
    SENESCHAL_REGISTRATION_SHARED_SECRET: secret,
    SENESCHAL_RATE_LIMITS: 'off',
    SENESCHAL_BCRYPT_COST: '4',
    SENESCHAL_SHUTDOWN_TIMEOUT: '2s',
  };
}

function clientOf(address: string): HttpClient & Stoppable {
  const client = new HttpClient(address, connections);
  return Object.assign(client, { stop: async () => client.close() });
}
