import type { Kysely } from 'kysely';

import type { Engines } from '../engines/open-engines.ts';
import { deleteIndex, indexesIn } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

/** Drops the indexes that are no longer searched. Of an engine that is not configured any more only the note goes. */
export async function dropRetired({
  db,
  engines,
}: {
  db: Kysely<SearchTables>;
  engines: Pick<Engines, 'of'>;
}): Promise<void> {
  for (const index of await indexesIn(db, ['retired'])) {
    await engines.of(index.engine)?.drop(index);
    await deleteIndex(db, index);
  }
}
