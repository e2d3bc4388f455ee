import type { Kysely, Transaction } from 'kysely';
import type { z } from 'zod';

import type { search } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { MatrixError } from '@seneschal/matrix';

import type { Engines } from '../engines/open-engines.ts';
import { usableIndexes } from '../indexes.ts';
import { deleteEditsOfRoom } from '../storage/edits.ts';
import { lockIndexes } from '../storage/indexes.ts';
import { insertRedo } from '../storage/redo.ts';
import type { SearchTables } from '../storage/tables.ts';

export interface PurgeRoomDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
}

/** Removes a room from every index, and from what is remembered of edits. Call it when its events are gone. */
export async function purgeRoom(
  deps: PurgeRoomDeps,
  { roomId }: z.infer<typeof search.purgeRoom.input>,
): Promise<{ removed: number }> {
  const removed = await transact(deps.db, (transaction) => removeRoom(deps, transaction, roomId));
  for (const { index, engine } of await usableIndexes(deps.db, deps.engines)) {
    const left = await engine.count(index, [roomId]);
    if (left > 0)
      throw new MatrixError(503, 'M_UNKNOWN', `${left} documents of the room are still in the index.`);
  }
  return { removed };
}

/** Answers how many documents the index that is searched had of the room. */
export async function removeRoom(
  { engines }: Pick<PurgeRoomDeps, 'engines'>,
  transaction: Transaction<SearchTables>,
  roomId: string,
): Promise<number> {
  let removed = 0;
  await lockIndexes(transaction);
  for (const { index, engine } of await usableIndexes(transaction, engines)) {
    const count = await engine.removeRoom(transaction as unknown as Kysely<unknown>, index, roomId);
    if (index.state === 'live') removed = count;
    // What the building has read of the room before, it may write after this.
    else await insertRedo(transaction, index, 'room', [roomId]);
  }
  await deleteEditsOfRoom(transaction, roomId);
  return removed;
}
