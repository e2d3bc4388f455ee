import { type Kysely, sql } from 'kysely';

import { createLogger } from '@seneschal/observability';
import { type TestDatabase, withDatabase } from '@seneschal/testing';

import { openDatabase, sqlState, transact } from '../src/index.ts';
import { gate } from './fixture.ts';

let test: TestDatabase;
let db: Kysely<unknown>;
beforeAll(async () => {
  test = await withDatabase();
  db = test.tables();
  await sql`CREATE TABLE counters (name text PRIMARY KEY, value int NOT NULL)`.execute(db);
});
afterAll(() => test.stop());
beforeEach(async () => {
  await sql`TRUNCATE counters`.execute(db);
  await sql`INSERT INTO counters VALUES ('a', 0), ('b', 0)`.execute(db);
});

const count = (trx: Kysely<unknown>, name: string): Promise<unknown> =>
  sql`UPDATE counters SET value = value + 1 WHERE name = ${name}`.execute(trx);

async function values(): Promise<Record<string, number>> {
  const found = await sql<{ name: string; value: number }>`SELECT * FROM counters`.execute(db);
  return Object.fromEntries(found.rows.map((row) => [row.name, row.value]));
}

describe('transact', () => {
  it('answers what the work answers, and commits it', async () => {
    expect(await transact(db, (trx) => count(trx, 'a').then(() => 'done'))).toBe('done');
    expect(await values()).toEqual({ a: 1, b: 0 });
  });

  it('rolls back whatever else fails, without trying again', async () => {
    let attempts = 0;
    const failing = transact(db, async (trx) => {
      attempts += 1;
      await count(trx, 'a');
      await sql`INSERT INTO counters VALUES ('a', 1)`.execute(trx);
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect([attempts, await values()]).toEqual([1, { a: 0, b: 0 }]);
  });

  it('tries again the one that PostgreSQL picks to end a deadlock', async () => {
    const [first, second] = [gate(), gate()];
    let attempts = 0;
    const crossing = (own: string, other: string, mine: typeof first, theirs: typeof first): Promise<void> =>
      transact(db, async (trx) => {
        attempts += 1;
        await count(trx, own);
        mine.open();
        await theirs.opened;
        await count(trx, other);
      });
    await Promise.all([crossing('a', 'b', first, second), crossing('b', 'a', second, first)]);
    expect([attempts, await values()]).toEqual([3, { a: 2, b: 2 }]);
  });

  it('gives up a serialisation failure after the fifth attempt', async () => {
    let attempts = 0;
    const failing = transact(db, async (trx) => {
      attempts += 1;
      await count(trx, 'a');
      await sql`DO $$ BEGIN RAISE serialization_failure; END $$`.execute(trx);
    });
    const error: unknown = await failing.catch((reason: unknown) => reason);
    expect(sqlState(error)).toBe('40001');
    expect([attempts, await values()]).toEqual([5, { a: 0, b: 0 }]);
  });
});

describe('sqlState', () => {
  it.each([undefined, null, 'text', {}, { code: 5 }])('is undefined for %j', (error) => {
    expect(sqlState(error)).toBeUndefined();
  });
});

describe('a database', () => {
  it('reads 64-bit integers as numbers', async () => {
    const found = await sql<{ big: unknown }>`SELECT ${2 ** 53 - 1}::bigint AS big`.execute(db);
    expect(found.rows[0]?.big).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('prepares each text once, and no more of them than a server should keep', async () => {
    const alone = openDatabase({
      url: test.url,
      maxConnections: 1,
      applicationName: 'prepared',
      logger: createLogger('silent'),
    });
    const ask = (text: string, value: number): Promise<unknown> =>
      sql`SELECT ${sql.raw(text)} + ${value}::int AS sum`.execute(alone.tables());
    await ask('1', 1);
    await ask('1', 2);
    const prepared = await sql<{ calls: number }>`SELECT (generic_plans + custom_plans)::int AS calls
      FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 +%'`.execute(alone.tables());
    expect(prepared.rows).toEqual([{ calls: 2 }]);
    for (let n = 0; n < 600; n += 1) await ask(String(n), 1);
    const all = await sql<{
      count: number;
    }>`SELECT count(*)::int AS count FROM pg_prepared_statements`.execute(alone.tables());
    expect(all.rows[0]?.count).toBeLessThanOrEqual(500);
    await alone.stop();
  });

  it('gets a new connection when the server ends one', async () => {
    const alone = openDatabase({
      url: test.url,
      maxConnections: 1,
      applicationName: 'to be ended',
      logger: createLogger('silent'),
    });
    const pid = sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`;
    const before = (await pid.execute(alone.tables())).rows[0]?.pid ?? 0;
    await sql`SELECT pg_terminate_backend(${before}::int, 5000)`.execute(db);
    const after = await pid.execute(alone.tables()).catch(() => pid.execute(alone.tables()));
    expect(after.rows[0]?.pid).not.toBe(before);
    await alone.stop();
  });
});
