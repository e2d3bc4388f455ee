import { sql } from 'kysely';

import { type TestDatabase, withDatabase } from '@seneschal/testing';

import {
  declaredIndexes,
  migrate,
  type Migrations,
  pendingMigrations,
  sqlMigration,
  storedIndexes,
} from '../src/index.ts';

const things: Migrations = {
  '0001_things': sqlMigration((db) => sql`CREATE TABLE things (name text PRIMARY KEY, size int)`.execute(db)),
  '0002_size': sqlMigration((db) =>
    sql`CREATE INDEX things_size ON things (size) WHERE size > 0`.execute(db),
  ),
};

describe('the schema', () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await withDatabase();
  });
  afterEach(() => test.stop());

  it('has the indexes that its migrations declare', async () => {
    const declared = await declaredIndexes(test.tables(), [things]);
    expect(declared).toEqual([
      {
        name: 'things_pkey',
        table: 'things',
        definition: 'CREATE UNIQUE INDEX things_pkey ON things USING btree (name)',
      },
      {
        name: 'things_size',
        table: 'things',
        definition: 'CREATE INDEX things_size ON things USING btree (size) WHERE (size > 0)',
      },
    ]);
    await migrate(test.database, 'things', things);
    const stored = await storedIndexes(test.tables());
    expect(stored).toEqual(expect.arrayContaining(declared.map((index) => ({ ...index, isValid: true }))));
  });

  it('is not changed by finding out', async () => {
    const before = await storedIndexes(test.tables());
    await Promise.all([1, 2, 3].map(() => declaredIndexes(test.tables(), [things])));
    const bad: Migrations = { '0001_bad': sqlMigration((db) => sql`CREATE TABLE`.execute(db)) };
    await expect(declaredIndexes(test.tables(), [bad])).rejects.toThrow();
    expect(await storedIndexes(test.tables())).toEqual(before);
    const schemas = await sql`SELECT FROM pg_namespace WHERE nspname LIKE 'seneschal_check%'`.execute(
      test.tables(),
    );
    expect(schemas.rows).toEqual([]);
  });

  it('tells which migrations are still to come', async () => {
    const all = new Map([['things', things]]);
    expect(await pendingMigrations(test.tables(), all)).toEqual(['things/0001_things', 'things/0002_size']);
    const { '0001_things': first } = things;
    await migrate(test.database, 'things', { '0001_things': first! });
    expect(await pendingMigrations(test.tables(), all)).toEqual(['things/0002_size']);
    await migrate(test.database, 'things', things);
    expect(await pendingMigrations(test.tables(), all)).toEqual([]);
    expect(await pendingMigrations(test.tables(), test.database.migrated)).toEqual([]);
  });
});
