import type { Stoppable } from '@seneschal/observability';
import { startBus, type TestDatabase, uniqueName, withDatabase } from '@seneschal/testing';

import { Nonces } from '../src/nonces.ts';

describe('P6: nonces', () => {
  const lifetimeMs = 60_000;
  let database: TestDatabase;
  let buses: Stoppable[];
  let gateways: [Nonces, Nonces];
  let size: () => Promise<number>;
  beforeEach(async () => {
    database = await withDatabase();
    const prefix = uniqueName();
    const [one, two] = [
      await startBus(database.database, { prefix }),
      await startBus(database.database, { prefix }),
    ];
    buses = [one, two];
    gateways = [new Nonces(one.bus), new Nonces(two.bus)];
    size = () => one.bus.redis.zcard(`${prefix}:register-nonces`);
  });
  afterEach(async () => {
    for (const bus of buses) await bus.stop();
    await database.stop();
  });

  it('of one gateway are good at the other, and once between them', async () => {
    const nonce = await gateways[0].issue();
    const taken = await Promise.all([gateways[1].take(nonce), gateways[0].take(nonce)]);
    expect(taken.sort()).toEqual([false, true]);
    expect(await gateways[1].take(nonce)).toBe(false);
  });

  it('are bounded, however many are asked for at both; one that is used makes room', async () => {
    const kept = await gateways[0].issue();
    let refused = 0;
    for (let round = 0; round < 11; round += 1) {
      const asked = Array.from({ length: 1000 }, (_, index) => gateways[index % 2 === 0 ? 0 : 1].issue());
      for (const answer of await Promise.allSettled(asked)) {
        if (answer.status === 'fulfilled') continue;
        refused += 1;
        expect(answer.reason).toMatchObject({
          status: 429,
          errcode: 'M_LIMIT_EXCEEDED',
          fields: { retry_after_ms: lifetimeMs },
        });
      }
    }
    expect([await size(), refused]).toEqual([10_000, 1001]);
    // Those that were given out before the flood are still good.
    expect(await gateways[1].take(kept)).toBe(true);
    await gateways[1].issue();
    await expect(gateways[0].issue()).rejects.toMatchObject({ status: 429 });
  });
});
