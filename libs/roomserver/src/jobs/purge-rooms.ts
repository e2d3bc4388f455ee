import type { Kysely } from 'kysely';

import { purgeRoomJob, purgeRoomsJob } from '@seneschal/contracts';
import { handleJob, type JobHandler } from '@seneschal/jobs';

import { findRooms } from '../queries/find-rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

/** Deletions that are handed out and not yet ended; a worker runs few of them at once. */
const underWayAtMost = 4;
const lookAgainMs = 5000;

/** Deletes the rooms that a filter finds, each by a child of its own, so that one bad room stops no other. */
export function purgeRooms(deps: { db: Kysely<RoomserverTables> }): JobHandler {
  return handleJob(purgeRoomsJob, {
    purge: async (context) => {
      const { filter, exclude, limit, ...options } = context.input;
      const known = Array.isArray(context.cursor) ? context.cursor.map(String) : [];
      const left = limit - known.length;
      if (left <= 0) return 'done';
      const { unfinished } = await context.children();
      if (unfinished >= underWayAtMost) return { waitMs: lookAgainMs };
      const selection = {
        filter,
        exclude: [...exclude, ...known],
        limit: Math.min(left, underWayAtMost - unfinished),
      };
      const found = await findRooms(deps, selection);
      for (const { roomId } of found) await context.startChild(purgeRoomJob, { ...options, roomId });
      const roomIds = found.map(({ roomId }) => roomId);
      const items = roomIds.map((item) => ({ item, state: 'done' as const }));
      await context.commit(async () => ({
        cursor: [...known, ...roomIds],
        done: roomIds.length,
        items,
        result: { rooms: known.length + roomIds.length },
      }));
      return found.length === 0 ? 'done' : 'again';
    },
    wait: async (context) => {
      const { unfinished, finished, failed } = await context.children();
      if (unfinished > 0) return { waitMs: lookAgainMs };
      const reason = `${failed} deletions did not go well: they are the jobs that have this one as their parent.`;
      await context.commit(async () => ({
        items: failed > 0 ? [{ item: 'deletions', state: 'failed', reason }] : [],
        result: { purged: finished - failed, failed },
      }));
      return 'done';
    },
  });
}
