import { type Kysely, type RawBuilder, sql } from 'kysely';

import { sqlState } from '@seneschal/database';

import { IndexMissing, type IndexRef } from '../engine.ts';

/** Each index is a table of its own: it is built without the dear indexes, and dropped at once. */
export function tableOf({ generation }: IndexRef): RawBuilder<unknown> {
  return sql.id(`search_documents_${generation}`);
}

function nameIn({ generation }: IndexRef, suffix: string): RawBuilder<unknown> {
  return sql.id(`search_documents_${generation}_${suffix}`);
}

export async function createTable(db: Kysely<unknown>, index: IndexRef): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS ${tableOf(index)} (
    event_id text COLLATE "C" PRIMARY KEY,
    room_id text COLLATE "C" NOT NULL,
    sender text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    has_url boolean NOT NULL,
    body text NOT NULL,
    words tsvector NOT NULL
  )`.execute(db);
}

/** What makes it fast to search; dearer to keep up to date than to make once. May take long. */
export async function createTableIndexes(db: Kysely<unknown>, index: IndexRef): Promise<void> {
  const table = tableOf(index);
  await db.transaction().execute(async (transaction) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(transaction);
    await sql`SET LOCAL maintenance_work_mem = '256MB'`.execute(transaction);
    for (const statement of [
      sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'words')} ON ${table} USING gin (words)`,
      sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'room')} ON ${table} (room_id, position)`,
      sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'position')} ON ${table} (position)`,
    ]) {
      await statement.execute(transaction);
    }
  });
  await sql`ANALYZE ${table}`.execute(db);
}

export async function dropTable(db: Kysely<unknown>, index: IndexRef): Promise<void> {
  await sql`DROP TABLE IF EXISTS ${tableOf(index)}`.execute(db);
}

const undefinedTable = '42P01';

/** Throws IndexMissing where the table has been dropped meanwhile. */
export async function whileThere<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) === undefinedTable) throw new IndexMissing('The index is gone.', { cause: error });
    throw error;
  }
}

/** PostgreSQL's integers know no Infinity. */
export function bounded(position: number): number {
  return Math.min(position, Number.MAX_SAFE_INTEGER);
}

const separators = `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~\u0001\u0002`;

/**
 * A text with a space for each ASCII character that is neither letter nor digit: PostgreSQL would else take
 * addresses and names of files for one word each, and nobody would find a part of them.
 */
export function separated(text: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`translate(${text}, ${separators}, ${' '.repeat(separators.length)})`;
}
