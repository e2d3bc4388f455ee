import { randomBytes } from 'node:crypto';

import { type Kysely, sql, type Transaction } from 'kysely';

import type { EngineName, IndexRef } from '../engines/engine.ts';
import type { IndexState, SearchTables } from './tables.ts';

export interface StoredIndex extends IndexRef {
  engine: EngineName;
  state: IndexState;
  position: number;
}

/**
 * Until the end of the transaction nobody else changes the indexes or which one is searched. What is read of
 * the rooms after it is therefore never older than what others have written.
 */
export async function lockIndexes(transaction: Transaction<SearchTables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('search_indexes', 0))`.execute(transaction);
}

/** The index that is searched, and the one that is being built, if there is one. */
export async function openIndexes(db: Kysely<SearchTables>): Promise<StoredIndex[]> {
  return indexesIn(db, ['live', 'building']);
}

export async function liveIndex(db: Kysely<SearchTables>): Promise<StoredIndex | undefined> {
  return (await indexesIn(db, ['live']))[0];
}

export async function indexesIn(
  db: Kysely<SearchTables>,
  states: readonly IndexState[],
): Promise<StoredIndex[]> {
  const result = await sql<StoredIndex>`
    SELECT generation, name, engine, language, state, position FROM search_indexes
    WHERE state = ANY(${[...states]}::text[]) ORDER BY generation
  `.execute(db);
  return result.rows;
}

/** Notes an index that is to be made; undefined when there is one already in that state. */
export async function insertIndex(
  db: Kysely<SearchTables>,
  index: Pick<StoredIndex, 'engine' | 'language' | 'state'>,
): Promise<StoredIndex | undefined> {
  const name = randomBytes(9).toString('hex');
  const result = await sql<{ generation: number }>`
    INSERT INTO search_indexes (name, engine, language, state, created_ts)
    VALUES (${name}, ${index.engine}, ${index.language}, ${index.state}, ${Date.now()})
    ON CONFLICT DO NOTHING RETURNING generation
  `.execute(db);
  const [row] = result.rows;
  return row === undefined ? undefined : { ...index, name, generation: row.generation, position: 0 };
}

export async function setState(
  db: Kysely<SearchTables>,
  { generation }: IndexRef,
  state: IndexState,
): Promise<void> {
  await sql`UPDATE search_indexes SET state = ${state} WHERE generation = ${generation}`.execute(db);
}

export async function setPosition(
  db: Kysely<SearchTables>,
  { generation }: IndexRef,
  position: number,
): Promise<void> {
  await sql`UPDATE search_indexes SET position = ${position} WHERE generation = ${generation}`.execute(db);
}

export async function deleteIndex(db: Kysely<SearchTables>, { generation }: IndexRef): Promise<void> {
  await sql`DELETE FROM search_redo WHERE generation = ${generation}`.execute(db);
  await sql`DELETE FROM search_indexes WHERE generation = ${generation}`.execute(db);
}
