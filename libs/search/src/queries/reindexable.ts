import type { Kysely } from 'kysely';

import type { RoomserverForSearch } from '@seneschal/contracts';

import { searchableTypeNames } from '../documents/document.ts';
import type { Engines } from '../engines/open-engines.ts';
import { usableIndexes } from '../indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

export interface ReindexableDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
  roomserver: Pick<RoomserverForSearch, 'position' | 'countOfTypes'>;
}

/** The events that indexing anew would read, and the documents of the index that is searched. */
export async function reindexable(
  { db, engines, roomserver }: ReindexableDeps,
  roomId: string | undefined,
): Promise<{ events: number; documents: number }> {
  const events = await roomserver.countOfTypes(searchableTypeNames, await roomserver.position(), roomId);
  const live = (await usableIndexes(db, engines)).find(({ index }) => index.state === 'live');
  const rooms = roomId === undefined ? undefined : [roomId];
  return { events, documents: (await live?.engine.count(live.index, rooms)) ?? 0 };
}
