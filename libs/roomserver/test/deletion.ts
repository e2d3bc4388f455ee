import { chain, deleteEvents, deleteNamed, deleteNumbered } from '../src/storage/room-rows.ts';
import { beginDeletion, type Deletion, detachRoom } from '../src/storage/deletions.ts';
import { rememberDepartures } from '../src/storage/departures.ts';
import type { Rooms } from './rooms.ts';

/** Closes a room, as the first phase of a deletion does. */
export async function closeRoom(rooms: Rooms, roomId: string): Promise<Deletion | undefined> {
  const asked = { roomId, deletionId: `d-${roomId}`, requestedBy: '@admin:localhost' };
  return rooms.db.transaction().execute((transaction) => beginDeletion(transaction, asked));
}

/** Takes a room away, with all for whom it is to show as left. Answers the position of the fact. */
export async function detach(rooms: Rooms, deletion: Deletion, pageSize = 2): Promise<number> {
  for (let after: string | undefined = ''; after !== undefined;) {
    after = await rememberDepartures(rooms.db, deletion.roomNid, { after, limit: pageSize });
  }
  const { position } = await rooms.db
    .transaction()
    .execute((transaction) => detachRoom(transaction, deletion));
  return position;
}

/** Deletes all rows, in pages; answers how many by table, how many pages, and the digest. */
export async function deleteAll(
  rooms: Rooms,
  deletion: Deletion,
  limit: number,
): Promise<{ deleted: Record<string, number>; pages: number; digest: string }> {
  const deleted: Record<string, number> = {};
  let pages = 0;
  const add = (counts: Record<string, number>): void => {
    pages += 1;
    for (const [table, count] of Object.entries(counts)) deleted[table] = (deleted[table] ?? 0) + count;
  };
  for (const remove of [deleteNumbered, deleteNamed]) {
    for (
      let cursor: Awaited<ReturnType<typeof remove>>['cursor'] = null, first = true;
      first || cursor !== null;
    ) {
      first = false;
      const page = await remove(rooms.db, deletion, { cursor, limit });
      add(page.deleted);
      cursor = page.cursor;
    }
  }
  let digest = '';
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await deleteEvents(rooms.db, deletion, { after, limit, digest });
    add(page.deleted);
    digest = page.digest;
    after = page.next;
  }
  return { deleted, pages, digest };
}

export { chain };
