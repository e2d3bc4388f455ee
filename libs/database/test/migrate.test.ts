import { type Kysely, sql } from 'kysely';

import { createLogger } from '@seneschal/observability';
import { type TestDatabase, withDatabase } from '@seneschal/testing';

import { migrate, type Migrations, openDatabase, sqlMigration } from '../src/index.ts';

const first = { '0001_things': sqlMigration((db) => sql`CREATE TABLE things (name text)`.execute(db)) };
const second = { '0002_more': sqlMigration((db) => sql`ALTER TABLE things ADD size int`.execute(db)) };

async function columns(db: Kysely<unknown>): Promise<string[]> {
  const found = await sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
    WHERE table_name = 'things' ORDER BY 1`.execute(db);
  return found.rows.map((row) => row.name);
}

describe('migrate', () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await withDatabase();
  });
  afterEach(() => test.stop());

  it('runs each migration once, also those that come later', async () => {
    await migrate(test.database, 'some', first);
    await migrate(test.database, 'some', first);
    expect(await columns(test.tables())).toEqual(['name']);
    await migrate(test.database, 'some', { ...first, ...second });
    expect(await columns(test.tables())).toEqual(['name', 'size']);
  });

  it('is safe when many start at once', async () => {
    const others = Array.from({ length: 4 }, () =>
      openDatabase({
        url: test.url,
        maxConnections: 2,
        applicationName: 'migrate',
        logger: createLogger('silent'),
      }),
    );
    await Promise.all(others.map((other) => migrate(other, 'some', { ...first, ...second })));
    expect(await columns(test.tables())).toEqual(['name', 'size']);
    await Promise.all(others.map((other) => other.stop()));
  });

  it('names the component whose tables it could not bring up to date, and leaves nothing half done', async () => {
    const broken: Migrations = {
      '0002_broken': sqlMigration(async (db) => {
        await sql`CREATE TABLE half (name text)`.execute(db);
        await sql`this is no SQL`.execute(db);
      }),
    };
    await expect(migrate(test.database, 'some', { ...first, ...broken })).rejects.toThrow(/tables of some/);
    const half = await sql`SELECT FROM pg_tables WHERE tablename = 'half'`.execute(test.tables());
    expect(half.rows).toEqual([]);
    await migrate(test.database, 'some', { ...first, ...second });
    expect(await columns(test.tables())).toEqual(['name', 'size']);
  });

  it('keeps components apart: each counts its own migrations', async () => {
    await migrate(test.database, 'some', first);
    const other = { '0001_things': sqlMigration((db) => sql`CREATE TABLE others ()`.execute(db)) };
    await migrate(test.database, 'other', other);
    const found = await sql`SELECT FROM pg_tables WHERE tablename = 'others'`.execute(test.tables());
    expect(found.rows).toHaveLength(1);
  });

  it('starts while tables of others come and go', async () => {
    const db = test.database.tables<unknown>();
    let isOver = false;
    const churn = async (name: string): Promise<void> => {
      while (!isOver) {
        await sql`CREATE TABLE ${sql.id(name)} (id int)`.execute(db);
        await sql`DROP TABLE ${sql.id(name)}`.execute(db);
      }
    };
    const churning = Promise.all(['passing_1', 'passing_2'].map(churn));
    for (let start = 1; start <= 30; start += 1) {
      await expect(migrate(test.database, 'some', { ...first, ...second })).resolves.toBeUndefined();
    }
    isOver = true;
    await churning;
  });
});
