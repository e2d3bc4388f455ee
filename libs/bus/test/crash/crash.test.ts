import { randomUUID } from 'node:crypto';

import { deposit } from '../fixture.ts';
import { CrashStage } from './stage.ts';
import { commandSteps, consumerSteps, steps } from './steps.ts';

let stage: CrashStage;
beforeAll(async () => {
  stage = await CrashStage.open();
}, 60_000);
afterAll(() => stage.stop());

const once = { balance: 7, first: [7], second: [7] };

/** Calls with a key, and again until there is an answer, as every caller may. */
async function insist(account: string, amount: number, idempotencyKey: string): Promise<{ balance: number }> {
  const call = (): Promise<{ balance: number }> =>
    stage.bus.call(deposit, { account, amount }, { idempotencyKey, timeoutMs: 2000 });
  return call().catch(() => insist(account, amount, idempotencyKey));
}

describe('nothing is lost and nothing applied twice', () => {
  it.each(steps)('when Redis is emptied at the step "%s"', async (step) => {
    const account = randomUUID();
    stage.haltAt(step);
    const reply = insist(account, 7, account);
    await stage.halted();
    await stage.redis.flush();
    stage.resume();
    expect(await reply).toEqual({ balance: 7 });
    expect(await stage.traces(account)).toEqual(once);
  });

  it.each(steps)('when the worker is killed at the step "%s" and Redis emptied', async (step) => {
    const account = randomUUID();
    stage.haltAt(step);
    const reply = insist(account, 7, account);
    await stage.halted();
    await stage.worker.kill();
    await stage.redis.flush();
    await stage.startWorker();
    expect(await reply).toEqual({ balance: 7 });
    expect(await stage.traces(account)).toEqual(once);
  });

  it.each(consumerSteps)('when the worker is killed at the step "%s"', async (step) => {
    const account = randomUUID();
    stage.haltAt(step);
    const reply = stage.bus.call(deposit, { account, amount: 7 }, { idempotencyKey: account });
    await stage.halted();
    await stage.replaceWorker();
    expect(await reply).toEqual({ balance: 7 });
    expect(await stage.traces(account)).toEqual(once);
  });

  // The queue gives the command of a killed worker to another after some seconds; nobody has to call again.
  it.each(commandSteps)(
    'when the worker is killed at the step "%s": another one answers the caller who waits',
    async (step) => {
      const account = randomUUID();
      stage.haltAt(step);
      const reply = stage.bus.call(deposit, { account, amount: 7 });
      await stage.halted();
      await stage.replaceWorker();
      expect(await reply).toEqual({ balance: 7 });
      expect(await stage.traces(account)).toEqual(once);
    },
  );

  it('when workers die and Redis is emptied again and again under load', async () => {
    const account = randomUUID();
    const amounts = Array.from({ length: 120 }, (_, n) => n + 1);
    const state = { done: 0 };
    const line = [...amounts];
    const callers = Array.from({ length: 8 }, async () => {
      for (let amount = line.shift(); amount !== undefined; amount = line.shift()) {
        await insist(account, amount, `${account} ${amount}`);
        state.done += 1;
      }
    });
    for (const step of ['written', 'committed', 'first applied', 'second applied'] as const) {
      stage.haltAt(step);
      await stage.halted();
      const { done } = state;
      await stage.worker.kill();
      await stage.redis.flush();
      await stage.startWorker();
      expect(done).toBeLessThan(amounts.length);
    }
    await Promise.all(callers);
    const balance = amounts.reduce((sum, amount) => sum + amount, 0);
    expect(await stage.traces(account)).toEqual({ balance, first: amounts, second: amounts });
  }, 60_000);
});
