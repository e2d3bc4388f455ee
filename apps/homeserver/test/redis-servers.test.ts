import { startWorld, type TestAnswer, type TestClient, type World } from '@seneschal/testing';

import { type RedisServers, startCluster, startSentinel } from './redis-servers.ts';

const prefix = 'several';

describe.each([
  ['behind Sentinel', startSentinel],
  ['as a cluster', startCluster],
])('with Redis %s, a server', (_name, start) => {
  let redis: RedisServers;
  let world: World;
  let admin: TestClient;
  let alice: TestClient;
  beforeAll(async () => {
    redis = await start();
    world = await startWorld({ redisUrl: redis.url, settings: { SENESCHAL_REDIS_PREFIX: prefix } });
    admin = await world.register('admin', { admin: true });
    alice = await world.register('alice');
  }, 60_000);
  afterAll(async () => {
    await world.stop();
    await redis.stop();
  });

  const evacuate = (roomId: string): Promise<TestAnswer> =>
    admin.request('POST', `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`, {
      headers: { 'Idempotency-Key': roomId },
    });

  it('runs commands, wakes a sync that waits, and runs jobs', async () => {
    const roomId = await admin.createRoom({ preset: 'public_chat' });
    await alice.join(roomId);
    const { next_batch: since } = await alice.call('GET', '/sync');
    const waiting = alice.call('GET', `/sync?since=${String(since)}&timeout=25000`);
    await admin.call('PUT', `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`, {
      msgtype: 'm.text',
      body: 'Over several',
    });
    expect(JSON.stringify(await waiting)).toContain('Over several');
    const { status, body } = await evacuate(roomId);
    expect([status, (body['affected'] as string[]).sort()]).toEqual([200, [admin.userId, alice.userId]]);
  });

  it('makes accounts by the shared secret, whose nonces all gateways share', async () => {
    expect((await world.request('GET', '/_synapse/admin/v1/register')).body).toEqual({
      nonce: expect.any(String) as string,
    });
  });

  it('tells how it is', async () => {
    for (const path of ['self-check', 'metrics', 'health']) {
      expect((await admin.request('GET', `/_seneschal/v1/${path}`)).status).toBe(200);
    }
  });

  it('goes on by itself when the server that holds its keys is killed', async () => {
    const roomId = await admin.createRoom({ preset: 'public_chat' });
    await redis.killHolderOf(`{${prefix}}`);
    const joins = async (): Promise<boolean> => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/join`;
      return (await alice.request('POST', path, { body: {} })).status === 200;
    };
    let hasJoined = false;
    // Each attempt is answered within seconds: 503 while there is no master.
    for (let tries = 0; tries < 20 && !hasJoined; tries += 1) hasJoined = await joins();
    expect(hasJoined).toBe(true);
    const { status, body } = await evacuate(roomId);
    expect([status, (body['affected'] as string[]).sort()]).toEqual([200, [admin.userId, alice.userId]]);
  }, 90_000);
});
