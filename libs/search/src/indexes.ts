import type { Kysely, Transaction } from 'kysely';

import type { Logger } from '@seneschal/observability';

import type { IndexChanges, SearchEngine } from './engines/engine.ts';
import type { Engines } from './engines/open-engines.ts';
import { indexesIn, insertIndex, openIndexes, setState, type StoredIndex } from './storage/indexes.ts';
import { insertRedo } from './storage/redo.ts';
import type { SearchTables } from './storage/tables.ts';

/** An index with the engine that holds it. */
export interface OpenIndex {
  index: StoredIndex;
  engine: SearchEngine;
}

/** The index that is searched and the one that is being built, as far as their engines are configured. */
export async function usableIndexes(db: Kysely<SearchTables>, engines: Engines): Promise<OpenIndex[]> {
  return (await openIndexes(db)).flatMap((index) => {
    const engine = engines.of(index.engine);
    return engine === undefined ? [] : [{ index, engine }];
  });
}

/**
 * Writes to the index that is searched. For one that is being built it is noted what has changed: it is looked at
 * again before that one is put in the place of the other.
 */
export async function writeToAll(
  transaction: Transaction<SearchTables>,
  indexes: readonly OpenIndex[],
  changes: IndexChanges,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  for (const { index, engine } of indexes) {
    if (index.state === 'building') {
      const ids = [...changes.put.map((document) => document.eventId), ...changes.remove];
      await insertRedo(transaction, index, 'event', ids);
      continue;
    }
    const refused = await engine.write(transaction as unknown as Kysely<unknown>, index, changes);
    if (refused.length > 0) logger.error({ events: refused }, 'the search engine refused documents');
  }
}

/**
 * Makes the first index, to be searched at once; one that an earlier attempt has begun is taken up. Its note is
 * committed before the engine is asked, so that nothing is made that nobody knows of.
 */
export async function createFirstIndex(db: Kysely<SearchTables>, engines: Engines): Promise<OpenIndex> {
  const { preferred, language } = engines;
  await insertIndex(db, { engine: preferred.name, language, state: 'first' });
  const [index] = await indexesIn(db, ['first']);
  const engine = index && engines.of(index.engine);
  if (index === undefined || engine === undefined) throw new Error('The first index cannot be made.');
  await engine.create(index);
  await engine.complete(index);
  await setState(db, index, 'live');
  return { index: { ...index, state: 'live' }, engine };
}
