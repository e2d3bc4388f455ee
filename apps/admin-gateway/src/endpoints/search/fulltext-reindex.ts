import { search as searchContract, type SearchForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint, jobHeader, Reply } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { isRoomId } from '@seneschal/matrix';
import { z } from 'zod';

import { flag } from '../../flag.ts';
import {
  idempotencyKeyOf,
  longCall,
  longCallAnswers,
  type LongCallDeps,
  preferenceOf,
  type Rehearsal,
  rehearsalAnswer,
  rehearse,
} from '../../long-call.ts';
import { path } from '../jobs/shapes.ts';

export interface ReindexDeps extends LongCallDeps {
  search: Pick<SearchForAdmin, 'requireOn' | 'reindexable'>;
  jobs: LongCallDeps['jobs'] & Pick<Jobs, 'reads'>;
}

/**
 * Has everything, or one room, indexed anew. As in Dendrite the answer does not wait for it: the job is named in
 * the header. Asked while it is under way, the same job is answered.
 */
export const fulltextReindex = (deps: ReindexDeps): Endpoint[] =>
  (['GET', 'POST'] as const).map((method) =>
    endpoint({
      method,
      path: '/_dendrite/admin/fulltext/reindex',
      access: 'admin',
      rateLimit: 'admin',
      summary: 'Indexes all messages anew, or those of one room, while search goes on',
      query: z.object({
        room_id: z.string().refine(isRoomId, 'is not a room ID').optional(),
        dry_run: flag,
      }),
      answer: z.union([z.strictObject({}), rehearsalAnswer]),
      otherAnswers: longCallAnswers,
      handle: async (request) => {
        const { room_id: roomId, dry_run: dryRun } = request.query;
        deps.search.requireOn();
        if (dryRun) return rehearsal(deps, roomId);
        const kind = roomId === undefined ? searchContract.reindex : searchContract.reindexRoom;
        const input = roomId === undefined ? {} : { roomId };
        if (preferenceOf(request, deps.config.job_wait).isAsync) {
          return longCall<object>(deps, request, { kind, input, answer: () => ({}) });
        }
        const { jobId } = await deps.jobs.start<object>(kind, input, {
          requestedBy: request.requester.userId,
          idempotencyKey: idempotencyKeyOf(request),
        });
        return new Reply(200, {}, { [jobHeader]: jobId, Location: `${path}/${encodeURIComponent(jobId)}` });
      },
    }),
  );

/** Events are those that are read, documents those that are there and would be replaced. */
async function rehearsal({ search, jobs }: ReindexDeps, roomId: string | undefined): Promise<Rehearsal> {
  const { events, documents } = await search.reindexable(roomId);
  const kind = roomId === undefined ? searchContract.reindex : searchContract.reindexRoom;
  return rehearse(jobs, kind, { events, index_documents: documents }, events);
}
