import { z } from 'zod';

import {
  type IndexFault,
  isFinished,
  type JobReads,
  search as searchContract,
  type SearchForAdmin,
  type SearchStatus,
} from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { isRoomId } from '@seneschal/matrix';

const fault = z.object({ count: z.int(), examples: z.array(z.string()) });

const answer = z.object({
  search: z.enum(['on', 'off']),
  engine: z.string().optional(),
  problem: z.string().optional(),
  index: z
    .object({
      generation: z.number(),
      engine: z.string(),
      language: z.string(),
      documents: z.number().optional(),
      position: z.number(),
      latest_position: z.number(),
    })
    .optional(),
  building: z.number().optional(),
  comparison: z
    .object({
      expected: z.number(),
      missing: fault,
      stale: fault,
      orphaned: fault,
      complete: z.boolean(),
      consistent: z.boolean(),
    })
    .optional(),
  repair: z.object({ method: z.string(), path: z.string(), job: z.string() }),
  /** The repair under way. */
  job_id: z.string().optional(),
});

const flag = z
  .enum(['true', 'false'], 'is true or false')
  .default('true')
  .transform((value) => value === 'true');

/**
 * How the index is: engine, lag, and what differs from the rooms. The comparison reads everything, so it can be
 * left out; it ends after 20 seconds, and says whether it came to the end.
 */
export const searchStatus = (deps: {
  search: Pick<SearchForAdmin, 'status'>;
  jobs: { reads: Pick<JobReads, 'list'> };
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_seneschal/v1/search/status',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'How the search index is, compared with the rooms, and what repairs it',
    query: z.object({
      compare: flag,
      room_id: z.string().refine(isRoomId, 'is not a room ID').optional(),
    }),
    answer,
    handle: async ({ query: { compare, room_id: roomId } }) => {
      const asked = { compare, ...(roomId === undefined ? {} : { roomId }) };
      const status = await deps.search.status(asked);
      const kind = roomId === undefined ? searchContract.reindex : searchContract.reindexRoom;
      const jobId = await jobUnderWay(deps.jobs.reads, kind.name, roomId);
      const query = roomId === undefined ? '' : `?room_id=${encodeURIComponent(roomId)}`;
      return {
        ...shown(status),
        repair: { method: 'POST', path: `/_dendrite/admin/fulltext/reindex${query}`, job: kind.name },
        ...(jobId === undefined ? {} : { job_id: jobId }),
      };
    },
  });

async function jobUnderWay(
  reads: Pick<JobReads, 'list'>,
  kind: string,
  target: string | undefined,
): Promise<string | undefined> {
  const { rows } = await reads.list({ kind, ...(target === undefined ? {} : { target }) }, { limit: 1 });
  return rows.find((job) => !isFinished(job.state))?.jobId;
}

function shown(status: SearchStatus): Omit<z.infer<typeof answer>, 'repair' | 'job_id'> {
  const { isOn, index, comparison, ...rest } = status;
  return {
    search: isOn ? 'on' : 'off',
    ...rest,
    ...(index === undefined ? {} : { index: shownIndex(index) }),
    ...(comparison === undefined ? {} : { comparison: shownComparison(comparison) }),
  };
}

function shownIndex({ latest, ...index }: NonNullable<SearchStatus['index']>): {
  generation: number;
  engine: string;
  language: string;
  documents?: number;
  position: number;
  latest_position: number;
} {
  return { ...index, latest_position: latest };
}

function shownComparison({ isComplete, ...comparison }: NonNullable<SearchStatus['comparison']>): {
  expected: number;
  missing: IndexFault;
  stale: IndexFault;
  orphaned: IndexFault;
  complete: boolean;
  consistent: boolean;
} {
  const { missing, stale, orphaned } = comparison;
  const isConsistent = isComplete && missing.count + stale.count + orphaned.count === 0;
  return { ...comparison, complete: isComplete, consistent: isConsistent };
}
