import type { Kysely } from 'kysely';

import { countAllOwned } from '@seneschal/database';

import { roomRows } from '../commands/purge-room-data.ts';
import type { Engines } from '../engines/open-engines.ts';
import { usableIndexes } from '../indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

/** What there is of some rooms together: documents in all indexes, and what is remembered of edits. */
export async function countRoomData(
  { db, engines }: { db: Kysely<SearchTables>; engines: Engines },
  roomIds: readonly string[],
): Promise<Record<string, number>> {
  let documents = 0;
  for (const { index, engine } of await usableIndexes(db, engines)) {
    documents += await engine.count(index, roomIds);
  }
  const rows = await countAllOwned(db, roomRows, roomIds);
  return documents === 0 ? rows : { ...rows, index_documents: documents };
}
