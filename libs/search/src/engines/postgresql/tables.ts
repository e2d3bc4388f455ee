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

/** What makes it fast to search; dearer to keep up to date than to make once. */
export async function createTableIndexes(db: Kysely<unknown>, index: IndexRef): Promise<void> {
  const table = tableOf(index);
  await sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'words')} ON ${table} USING gin (words)`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'room')} ON ${table} (room_id, position)`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS ${nameIn(index, 'position')} ON ${table} (position)`.execute(db);
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
