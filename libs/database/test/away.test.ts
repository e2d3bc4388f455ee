import { sql } from 'kysely';

import { createLogger } from '@seneschal/observability';
import { type TestDatabase, withDatabase } from '@seneschal/testing';

import { databaseAway, openDatabase } from '../src/index.ts';

const away = { status: 503, errcode: 'M_UNKNOWN', fields: { retry_after_ms: 2000 } };

describe('a database that is away', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await withDatabase();
  });
  afterAll(() => test.stop());

  const failureOf = async (query: Promise<unknown>): Promise<unknown> =>
    query.then(
      () => undefined,
      (error: unknown) => databaseAway(error) ?? 'another failure',
    );

  it.each([
    ['address', 'postgres://nobody@127.0.0.1:1/nothing'],
    ['socket', 'postgres://nobody@/nothing?host=/nowhere'],
  ])('is told when nobody listens at its %s', async (_what, url) => {
    const logger = createLogger('silent');
    const database = openDatabase({ url, maxConnections: 1, applicationName: 'test', logger });
    expect(await failureOf(sql`SELECT 1`.execute(database.tables()))).toMatchObject(away);
    await database.stop();
  });

  it('is told when the connection is ended during a query, and between two of a transaction', async () => {
    const db = test.tables<object>();
    const ending = sql`SELECT pg_terminate_backend(pg_backend_pid())`;
    expect(await failureOf(ending.execute(db))).toMatchObject(away);
    const between = db.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(transaction);
      await sql`SELECT pg_terminate_backend(${rows[0]?.pid ?? 0}, 5000)`.execute(db);
      await sql`SELECT 1`.execute(transaction);
    });
    expect(await failureOf(between)).toMatchObject(away);
  });

  it('is not told of any other failure', async () => {
    const db = test.tables();
    expect(await failureOf(sql`SELECT 1 / 0`.execute(db))).toBe('another failure');
    expect(await failureOf(sql`SELECT FROM nothing`.execute(db))).toBe('another failure');
    for (const error of [new Error('Connection refused by the room'), new TypeError(''), 'text', undefined]) {
      expect(databaseAway(error)).toBeUndefined();
    }
  });
});
