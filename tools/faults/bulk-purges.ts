import { randomBytes } from 'node:crypto';

import { type Job, purgeRoomsJob } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import { sql } from 'kysely';

import { purge, type PurgeEnd, purgeEnd, type PurgeGround } from './purges.ts';
import { requestedBy } from './rooms.ts';
import type { Servers } from './servers.ts';
import type { Ground } from './stand.ts';

export interface BulkGround extends Ground {
  rooms: PurgeGround[];
}

/** What an undisturbed purge of some rooms comes to. */
interface BulkEnd {
  state: Job['state'] | undefined;
  done: number | undefined;
  failedItems: number | undefined;
  result: JsonObject | undefined;
  /** What the job says of each room, in the order in which they were made. */
  items: (string | undefined)[];
  /** What has become of each, and of the child that was to delete it. */
  rooms: PurgeEnd[];
}

/** Rooms that a filter finds by their names, beside one that it does not find. */
export async function bulkPurge(servers: Servers, count: number, events: number): Promise<BulkGround> {
  const name = `Bulk ${randomBytes(6).toString('hex')}`;
  const rooms: PurgeGround[] = [];
  while (rooms.length < count) rooms.push(await purge(servers, events, `${name} ${rooms.length}`));
  const input = {
    filter: { name: `${name} *` },
    exclude: [],
    limit: 100,
    block: false,
    evacuate: true,
    export: false,
  };
  return {
    rooms,
    start: () => servers.jobs.start(purgeRoomsJob, input, { requestedBy }),
    end: (jobId) => bulkEnd(servers, jobId, rooms),
  };
}

async function bulkEnd(servers: Servers, jobId: string, rooms: readonly PurgeGround[]): Promise<BulkEnd> {
  const { jobs } = servers;
  const job = await jobs.wait(jobId, 150_000);
  const { rows: items } = await jobs.reads.items(jobId, {}, { limit: 1000 });
  const { rows: children } = await jobs.reads.list({ parentId: jobId }, { limit: 1000 });
  if (children.length !== rooms.length) throw new Error(`There are ${children.length} children.`);
  const ends: PurgeEnd[] = [];
  for (const { roomId } of rooms) {
    ends.push(
      await purgeEnd(
        servers,
        children.find(({ target }) => target === roomId),
        roomId,
      ),
    );
  }
  return {
    state: job?.state,
    done: job?.done,
    failedItems: job?.failedItems,
    result: job?.result,
    items: rooms.map(({ roomId }) => items.find(({ item }) => item === roomId)?.state),
    rooms: ends,
  };
}

/** Lets the deletion of a room that fails fail for the last time: as if it had been tried eleven times. */
export async function lastAttempt(servers: Servers, roomId: string): Promise<void> {
  for (let changed = 0; changed === 0;) {
    const { rows } = await sql`
      UPDATE jobs SET attempts = 11, not_before = 0 WHERE target = ${roomId} AND state = 'queued' AND attempts > 0
      RETURNING 1
    `.execute(servers.database.tables());
    changed = rows.length;
  }
}
