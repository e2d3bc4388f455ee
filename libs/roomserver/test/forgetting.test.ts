import { Lifecycle } from '@seneschal/observability';
import { startBus, startPrivateRedis, type TestDatabase, uniqueName, withDatabase } from '@seneschal/testing';

import { forgetEverywhere, listenForForgetting } from '../src/room/forgetting.ts';

/** What one process was told to forget; `next` is the next thing. */
class Told {
  readonly #waiting: ((told: number | 'all') => void)[] = [];
  readonly #told: (number | 'all')[] = [];

  forget(roomNid: number): void {
    this.#add(roomNid);
  }

  forgetAll(): void {
    this.#add('all');
  }

  next(): Promise<number | 'all'> {
    const told = this.#told.shift();
    return told === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(told);
  }

  #add(told: number | 'all'): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#told.push(told);
    else taker(told);
  }
}

describe('what processes remember of a room that is gone', () => {
  const lifecycle = new Lifecycle();
  let database: TestDatabase;
  beforeAll(async () => {
    database = lifecycle.add(await withDatabase());
  });
  afterAll(() => lifecycle.stop());

  it('G1: is dropped by all of them, and everything by one that could not be told', async () => {
    const redis = lifecycle.add(await startPrivateRedis());
    const prefix = uniqueName();
    const processes = await Promise.all(
      [1, 2, 3].map(async () => {
        const started = lifecycle.add(await startBus(database.database, { prefix, redisUrl: redis.url }));
        const told = new Told();
        lifecycle.add(listenForForgetting(started.bus, told));
        return { bus: started.bus, told };
      }),
    );
    const all = (): Promise<(number | 'all')[]> => Promise.all(processes.map(({ told }) => told.next()));
    const heardBy = async (wanted: number): Promise<void> => {
      for (let heard = 0; heard < wanted;) {
        const counted = await processes[0]!.bus.redis.pubsub('NUMSUB', `${prefix}:rooms-gone`);
        heard = (counted as [string, number])[1];
      }
    };
    // At the start there is nothing to forget.
    expect(await all()).toEqual(['all', 'all', 'all']);
    await heardBy(processes.length);
    await forgetEverywhere(processes[0]!.bus, 17);
    expect(await all()).toEqual([17, 17, 17]);
    await redis.kill();
    await redis.start();
    expect(await all()).toEqual(['all', 'all', 'all']);
    await heardBy(processes.length);
  }, 30_000);
});
