import type { PurgedPage, PurgePage } from '@seneschal/contracts';
import { countAllOwned, type OwnedRows } from '@seneschal/database';

import { usableIndexes } from '../indexes.ts';
import { purgeRoom, type PurgeRoomDeps } from './purge-room.ts';

/** What is kept of a room beside the documents. */
export const roomRows: readonly OwnedRows[] = [{ table: 'search_edits', owner: 'room_id', key: ['edit_id'] }];

/**
 * The part of search in deleting a room: documents and what is remembered of edits, all in one page, as the
 * engines delete by room. With `dryRun` they are counted.
 */
export async function purgeRoomData(deps: PurgeRoomDeps, { roomId, dryRun }: PurgePage): Promise<PurgedPage> {
  const rows = await countAllOwned(deps.db, roomRows, roomId);
  if (!dryRun) {
    const { removed } = await purgeRoom(deps, { roomId });
    return { rows: { ...rows, ...documents(removed) }, cursor: null };
  }
  let counted = 0;
  for (const { index, engine } of await usableIndexes(deps.db, deps.engines)) {
    counted += await engine.count(index, [roomId]);
  }
  return { rows: { ...rows, ...documents(counted) }, cursor: null };
}

function documents(count: number): Record<string, number> {
  return count === 0 ? {} : { index_documents: count };
}
