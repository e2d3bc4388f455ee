import type { CommandContext } from '@seneschal/bus';
import type { PurgedPage, PurgePage } from '@seneschal/contracts';
import { countAllOwned, deleteOwned, transact } from '@seneschal/database';

import { roomRows } from '../storage/room-rows.ts';
import type { UserapiDb } from '../storage/tables.ts';

/** Deletes a page of what users have stored for a room, or counts it all. */
export async function purgeRoomData(
  deps: { db: UserapiDb },
  input: PurgePage,
  context: Pick<CommandContext, 'remember'>,
): Promise<PurgedPage> {
  const { roomId, cursor, limit, dryRun } = input;
  if (dryRun) return { rows: await countAllOwned(deps.db, roomRows, roomId), cursor: null };
  return transact(deps.db, async (transaction) => {
    const { deleted, cursor: next } = await deleteOwned(transaction, roomRows, roomId, { cursor, limit });
    const page: PurgedPage = { rows: deleted, cursor: next };
    // A repetition finds fewer rows: only what is remembered tells how many there were.
    await context.remember(transaction, page);
    return page;
  });
}
