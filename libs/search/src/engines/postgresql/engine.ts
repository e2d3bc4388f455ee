import { type Kysely, sql } from 'kysely';

import type { EngineQuery, IndexChanges, IndexRef, SearchEngine } from '../engine.ts';
import {
  countDocuments,
  deleteDocuments,
  deleteRoom,
  selectDocuments,
  upsertDocuments,
} from './documents.ts';
import { searchTable } from './search.ts';
import { createTable, createTableIndexes, dropTable, whileThere } from './tables.ts';

/** The index in PostgreSQL itself: nothing more to run, and changed in the transaction of the checkpoint. */
export function postgresqlEngine(db: Kysely<unknown>): SearchEngine {
  return {
    name: 'postgresql',
    loadSize: 5000,
    describe: async () => {
      const found = await sql<{ server_version: string }>`SHOW server_version`.execute(db);
      return `PostgreSQL ${found.rows[0]?.server_version ?? ''}`;
    },
    create: (index) => createTable(db, index),
    write: async (transaction, index, { put, remove }: IndexChanges) => {
      await upsertDocuments(transaction, index, put);
      await deleteDocuments(transaction, index, remove);
      return [];
    },
    load: async (transaction, index, documents) => {
      await upsertDocuments(transaction, index, documents);
      return [];
    },
    complete: (index) => createTableIndexes(db, index),
    removeRoom: deleteRoom,
    count: (index, roomIds) => whileThere(() => countDocuments(db, index, roomIds)),
    documentsBetween: (index, range, limit) => whileThere(() => selectDocuments(db, index, range, limit)),
    search: (index: IndexRef, query: EngineQuery) => whileThere(() => searchTable(db, index, query)),
    drop: (index) => dropTable(db, index),
  };
}
