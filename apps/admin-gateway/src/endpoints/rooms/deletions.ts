import { z } from 'zod';

import type { DeletionRecord, RoomserverForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { limitOr100 } from '../../paging.ts';

const time = z.number().nullable();

/** Times in ms since 1970. */
const deletionAnswer = z.object({
  deletion_id: z.string(),
  room_id: z.string(),
  requested_by: z.string(),
  created_ts: z.number(),
  purged_ts: time,
  finished_ts: time,
  counts: z.record(z.string(), z.number()),
  digest: z.string().nullable(),
  export: z.string().nullable(),
});

/** What was deleted, when, by whom: kept after the rooms are gone. */
export const deletions = (deps: { roomserver: Pick<RoomserverForAdmin, 'deletions'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_seneschal/v1/deletions',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'Lists the records of purged rooms, newest first',
    query: z.object({ room_id: z.string().optional(), from: z.string().optional(), limit: limitOr100 }),
    answer: z.object({ deletions: z.array(deletionAnswer), next_token: z.string().optional() }),
    handle: async ({ query }) => {
      const page = { roomId: query.room_id, from: query.from, limit: Math.max(1, query.limit) };
      const { records, next } = await deps.roomserver.deletions(page);
      return { deletions: records.map(toAnswer), ...(next === undefined ? {} : { next_token: next }) };
    },
  });

function toAnswer(record: DeletionRecord): z.infer<typeof deletionAnswer> {
  return {
    deletion_id: record.deletionId,
    room_id: record.roomId,
    requested_by: record.requestedBy,
    created_ts: record.createdTs,
    purged_ts: record.purgedTs,
    finished_ts: record.finishedTs,
    counts: record.counts,
    digest: record.digest,
    export: record.exportFile,
  };
}
