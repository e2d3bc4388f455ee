import { type Kysely, sql } from 'kysely';

import type { Stoppable } from '@seneschal/observability';
import { startBus, type TestDatabase, withDatabase } from '@seneschal/testing';

import { type Bus, handle } from '../src/index.ts';
import { gate, measure } from './fixture.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
let started: { bus: Bus } & Stoppable;
const servings: Stoppable[] = [];
beforeAll(async () => {
  database = await withDatabase();
  db = database.tables();
});
afterAll(() => database.stop());
beforeEach(async () => {
  started = await startBus(database.database);
});
afterEach(async () => {
  for (const serving of servings.splice(0)) await serving.stop();
  await started.stop();
});

const measuring = handle(measure, async ({ text }) => ({ length: text.length }));

async function serve(handler = measuring): Promise<void> {
  servings.push(await started.bus.serve('userapi', [handler]));
}

async function kept(): Promise<number> {
  return (await sql`SELECT FROM bus_payloads`.execute(db)).rows.length;
}

/** Of all jobs that Redis holds, in bytes. */
async function bytesInRedis(): Promise<number> {
  const { redis, prefix } = started.bus;
  const keys = (await redis.keys(`${prefix}:userapi:*`)).filter((key) => /:[\da-f]{8}-[\da-f-]+$/.test(key));
  const lengths = await Promise.all(keys.map((key) => redis.hstrlen(key, 'data')));
  return lengths.reduce((sum, one) => sum + one, 0);
}

describe('the input of a command that may be large', () => {
  it.each([100, 300_000, 9_000_000])('of %d characters arrives, and leaves nothing behind', async (size) => {
    await serve();
    const text = `${'ä'.repeat(size - 1)}\u0000`;
    expect(await started.bus.call(measure, { text })).toEqual({ length: size });
    expect(await kept()).toBe(0);
    expect(await bytesInRedis()).toBeLessThan(2000);
  });

  it('is there for as long as the command runs, and gone when it failed', async () => {
    const { opened, open } = gate();
    const begun = gate();
    await serve(
      handle(measure, async () => {
        begun.open();
        await opened;
        throw new Error('to be dropped');
      }),
    );
    const calling = started.bus.call(measure, { text: 'x'.repeat(300_000) });
    const failed = expect(calling).rejects.toMatchObject({ status: 500 });
    await begun.opened;
    expect(await kept()).toBe(1);
    open();
    await failed;
    expect(await kept()).toBe(0);
  });

  it('that a crash of the database has lost is asked for again', async () => {
    const calling = started.bus.call(measure, { text: 'x'.repeat(300_000) });
    const failed = expect(calling).rejects.toMatchObject({ status: 503, errcode: 'M_UNKNOWN' });
    while ((await bytesInRedis()) === 0) await new Promise((resolve) => setImmediate(resolve));
    await sql`TRUNCATE bus_payloads`.execute(db);
    await serve();
    await failed;
  });
});
