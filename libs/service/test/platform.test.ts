import { loadConfig } from '@seneschal/config';
import { createLogger } from '@seneschal/observability';
import { startPrivateRedis, startWorld, testServices, uniqueName, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

import { explainStart, healthEndpoints, openPlatform, startOn } from '../src/index.ts';

const logger = createLogger('silent');

function configOf(databaseUrl: string, redisUrl: string): ReturnType<typeof loadConfig> {
  return loadConfig(undefined, {
    SENESCHAL_DATABASE_URL: databaseUrl,
    SENESCHAL_REDIS_URL: redisUrl,
    SENESCHAL_REDIS_PREFIX: uniqueName(),
  });
}

/** What an operator is told of a start that fails. */
async function told(databaseUrl: string, redisUrl: string): Promise<string | undefined> {
  return openPlatform(configOf(databaseUrl, redisUrl), { name: 'test', logger }).then(
    () => undefined,
    (error: unknown) => explainStart(error),
  );
}

describe('a platform', () => {
  it('does not open on what cannot be reached, and quotes no password', async () => {
    const { databaseUrl, redisUrl } = testServices();
    expect(await told('postgresql://someone:hunter2@127.0.0.1:1/x', redisUrl)).toBe(
      'PostgreSQL cannot be reached at the address in database_url (ECONNREFUSED).',
    );
    expect(await told(databaseUrl, 'redis://:hunter2@127.0.0.1:1')).toBe(
      'Redis cannot be reached at the address in redis_url, or refuses its password.',
    );
  });

  it('does not open on a Redis that evicts keys', async () => {
    const redis = await startPrivateRedis({ 'maxmemory-policy': 'allkeys-lru' });
    expect(await told(testServices().databaseUrl, redis.url)).toMatch(/maxmemory-policy is allkeys-lru/);
    await redis.stop();
  });

  it('is closed again when what was to run on it does not start', async () => {
    const database = await withDatabase();
    const stops: string[] = [];
    const starting = startOn(
      configOf(database.url, testServices().redisUrl),
      { name: 'test', logger },
      async ({ lifecycle }) => {
        lifecycle.add({ stop: async () => void stops.push('stopped') });
        throw new Error('no start');
      },
    );
    await expect(starting).rejects.toThrow('no start');
    expect(stops).toEqual(['stopped']);
    await database.stop();
  });
});

describe('health', () => {
  it('tells alive from ready', async () => {
    const redis = await startPrivateRedis();
    const world = await startWorld({ redisUrl: redis.url });
    const ask = async (probe: string): Promise<[number, unknown]> => {
      const { status, body } = await world.request('GET', `/_seneschal/v1/${probe}`);
      return [status, body];
    };
    const alive = [200, { status: 'ok' }];
    const missing = (what: string): unknown => [503, { status: 'degraded', warnings: [what] }];
    expect([await ask('live'), await ask('ready')]).toEqual([alive, alive]);
    await sql`ALTER TABLE jobs_migrations RENAME TO gone`.execute(world.sql);
    const old = missing('The tables are older than this process.');
    expect([await ask('live'), await ask('ready')]).toEqual([alive, old]);
    await sql`ALTER TABLE gone RENAME TO jobs_migrations`.execute(world.sql);
    await redis.kill();
    const away = missing('Redis does not answer.');
    expect([await ask('live'), await ask('ready')]).toEqual([alive, away]);
    await redis.start();
    while ((await ask('ready'))[0] !== 200) expect(await ask('live')).toEqual(alive);
    await world.stop();
    await redis.stop();
  });

  it('is 200 while all is well, and 503 with the fault when Redis is away; up stays 200', async () => {
    const redis = await startPrivateRedis();
    const world = await startWorld({ redisUrl: redis.url });
    const statuses = async (): Promise<number[]> => {
      const paths = ['/_dendrite/monitor/up', '/_dendrite/monitor/health', '/_seneschal/v1/health'];
      return Promise.all(paths.map(async (path) => (await world.request('GET', path)).status));
    };
    expect(await statuses()).toEqual([200, 200, 200]);
    await redis.kill();
    expect(await statuses()).toEqual([200, 503, 503]);
    const { body } = await world.request('GET', '/_seneschal/v1/health');
    expect(body).toEqual({ status: 'degraded', warnings: ['Redis does not answer.'] });
    await redis.start();
    await world.stop();
    await redis.stop();
  });

  it('takes a Redis that does not answer within two seconds for one that is away', async () => {
    const never = { ping: () => new Promise<string>(() => undefined) };
    const database = await withDatabase();
    const endpoints = healthEndpoints({ database: database.database, bus: { redis: never } } as never);
    const health = endpoints.find(({ paths }) => paths[0] === '/_dendrite/monitor/health');
    expect(await health?.handle({} as never)).toMatchObject({
      status: 503,
      body: { warnings: ['Redis does not answer.'] },
    });
    await database.stop();
  });
});
