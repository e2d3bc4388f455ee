import { startPrivateRedis, startWorld } from '@seneschal/testing';

describe('stopping', () => {
  it('answers who waits for news, and does not wait for them', async () => {
    const world = await startWorld({ settings: { SENESCHAL_SHUTDOWN_TIMEOUT: '20s' } });
    const alice = await world.register('alice');
    const { next_batch: since } = await alice.call('GET', '/sync');
    const waiting = alice.request('GET', '/_matrix/client/v3/sync', {
      query: { since: String(since), timeout: 60_000 },
    });
    // One that comes later over the same listener is answered: the sync before it is being waited for.
    await alice.call('GET', '/account/whoami');
    const began = performance.now();
    await world.stop();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect((await waiting).status).toBe(200);
  });

  it('does not wait for a Redis that is away', async () => {
    const redis = await startPrivateRedis();
    const world = await startWorld({ redisUrl: redis.url });
    await world.register('alice');
    await redis.kill();
    await world.stop();
    await redis.stop();
  });
});
