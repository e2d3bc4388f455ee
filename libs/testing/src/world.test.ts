import { sql } from 'kysely';

import { startPrivateRedis } from './private-redis.ts';
import { startWorld, type World } from './world.ts';

describe('a world', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it('serves HTTP and knows its users', async () => {
    const alice = await world.register('alice');
    const bob = await world.register('bob', { admin: true });
    await world.settled();
    expect(alice.userId).toBe('@alice:test.example');
    expect((await world.request('GET', '/_seneschal/v1/health')).body).toEqual({
      status: 'ok',
      warnings: [],
    });
    const types = await sql<{ account_type: number }>`
      SELECT account_type FROM userapi_accounts ORDER BY localpart`.execute(world.sql);
    expect(types.rows.map((row) => row.account_type)).toEqual([1, 3]);
    expect(bob.deviceId).not.toBe('');
  });

  it('shares nothing with another world', async () => {
    const other = await startWorld();
    const carol = await other.register('carol');
    const account = '/_matrix/client/v3/admin/whois/@carol:test.example';
    expect((await world.request('GET', account, { token: carol.token })).status).not.toBe(200);
    await other.stop();
  });
});

describe('a private Redis', () => {
  it('can be killed and started again', async () => {
    const redis = await startPrivateRedis();
    const world = await startWorld({ redisUrl: redis.url });
    await world.register('alice');
    await redis.kill();
    expect((await world.request('GET', '/_dendrite/monitor/health')).status).toBe(503);
    await redis.start();
    await world.register('bob');
    await world.stop();
    await redis.stop();
  });
});
