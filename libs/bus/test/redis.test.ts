import { setTimeout as delay } from 'node:timers/promises';

import { createLogger, type Stoppable } from '@seneschal/observability';
import {
  type PrivateRedis,
  startBus,
  startPrivateRedis,
  type TestDatabase,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';

import { type Bus, checkRedis, connectRedis, handle, RedisRefused } from '../src/index.ts';
import { gate, greet } from './fixture.ts';

const logger = createLogger('silent');

async function check(url: string): Promise<void> {
  const redis = connectRedis(url, 'bounded', logger);
  try {
    await checkRedis(redis);
  } finally {
    redis.disconnect();
  }
}

describe('a Redis', () => {
  it('is taken when it keeps what it is given', async () => {
    await check(testServices().redisUrl);
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('is refused when it evicts keys (%s)', async (policy) => {
    const redis = await startPrivateRedis({ 'maxmemory-policy': policy });
    await expect(check(redis.url)).rejects.toThrow(new RegExp(`maxmemory-policy is ${policy}`));
    await redis.stop();
  });

  it('is refused when it is not there, without a word of its password', async () => {
    const refused = check('redis://:hunter2@127.0.0.1:1/0');
    await expect(refused).rejects.toThrow(RedisRefused);
    await expect(refused).rejects.toThrow(/cannot be reached/);
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });

  it('asks for its password, also on a Unix socket', async () => {
    const redis = await startPrivateRedis({ requirepass: 'pass/word' });
    await expect(check(redis.url)).rejects.toThrow(/refuses its password/);
    await check(redis.url.replace('//', `//:${encodeURIComponent('pass/word')}@`));
    await redis.stop();
  });
});

describe('commands, while Redis', () => {
  let redis: PrivateRedis;
  let database: TestDatabase;
  let caller: { bus: Bus } & Stoppable;
  let worker: { bus: Bus } & Stoppable;
  beforeAll(async () => {
    redis = await startPrivateRedis();
    database = await withDatabase();
    const shared = { redisUrl: redis.url, prefix: 'shared' };
    caller = await startBus(database.database, shared);
    worker = await startBus(database.database, shared);
  });
  afterAll(async () => {
    await caller.stop();
    await worker.stop();
    await database.stop();
    await redis.stop();
  });

  /** A greeting that is begun, and goes on when told. */
  async function held(): Promise<{ reply: Promise<unknown>; goOn: () => void; serving: Stoppable }> {
    const [begun, onward] = [gate(), gate()];
    const serving = await worker.bus.serve('userapi', [
      handle(greet, async ({ name }) => {
        begun.open();
        await onward.opened;
        return { greeting: `Hello ${name}` };
      }),
    ]);
    const reply = caller.bus.call(greet, { name: 'Alice' });
    await begun.opened;
    return { reply, goOn: onward.open, serving };
  }

  it('loses the connection to which the reply is published: it is read from the job', async () => {
    const { reply, goOn, serving } = await held();
    await caller.bus.redis.call('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    goOn();
    expect(await reply).toEqual({ greeting: 'Hello Alice' });
    await serving.stop();
  });

  it('is emptied: the command under way answers, and the next one too', async () => {
    const { reply, goOn, serving } = await held();
    await redis.flush();
    goOn();
    expect(await reply).toEqual({ greeting: 'Hello Alice' });
    expect(await caller.bus.call(greet, { name: 'Bob' })).toEqual({ greeting: 'Hello Bob' });
    await serving.stop();
  });

  it('is away: 503 within seconds, and all goes on by itself when it is back', async () => {
    const serving = await worker.bus.serve('userapi', [
      handle(greet, async ({ name }) => ({ greeting: `Hello ${name}` })),
    ]);
    await redis.kill();
    await expect(caller.bus.call(greet, { name: 'Alice' })).rejects.toMatchObject({
      status: 503,
      errcode: 'M_UNKNOWN',
    });
    await redis.start();
    const call = (): Promise<unknown> => caller.bus.call(greet, { name: 'Alice' });
    expect(await call().catch(call)).toEqual({ greeting: 'Hello Alice' });
    await serving.stop();
  });

  it('is away: what is begun is ended, and then the worker stops', async () => {
    const { reply, goOn, serving } = await held();
    const refused = expect(reply).rejects.toMatchObject({ status: 503 });
    await redis.kill();
    const order: string[] = [];
    const stopping = serving.stop().then(() => order.push('stopped'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('go on');
    goOn();
    await stopping;
    expect(order).toEqual(['go on', 'stopped']);
    await caller.stop();
    await refused;
    await redis.start();
    caller = await startBus(database.database, { redisUrl: redis.url, prefix: 'shared' });
  });

  it('refuses what is too large for it', async () => {
    const name = 'x'.repeat(9 * 1024 * 1024);
    await expect(caller.bus.call(greet, { name })).rejects.toThrow();
  });
});

describe('a bus that is stopped while Redis comes back', () => {
  it('stops, whichever of its connections is back by then', async () => {
    const redis = await startPrivateRedis();
    const database = await withDatabase();
    for (const pauseMs of [0, 20, 50, 100, 150, 200, 300, 400, 600, 800]) {
      const { bus, ...started } = await startBus(database.database, {
        redisUrl: redis.url,
        prefix: uniqueName(),
      });
      const subscription = bus.subscribe(`${bus.prefix}:news`, { hear: () => undefined });
      await subscription.ready;
      const server = await bus.serve('userapi', [handle(greet, async () => ({ greeting: 'Hello' }))]);
      await redis.kill();
      await redis.start();
      await delay(pauseMs);
      const begun = Date.now();
      await Promise.all([server.stop(), subscription.stop()]);
      await started.stop();
      expect(Date.now() - begun).toBeLessThan(4000);
    }
    await database.stop();
    await redis.stop();
  }, 60_000);
});
