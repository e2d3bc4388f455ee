import { z } from 'zod';

import { search as searchContract, type SearchForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { isRoomId } from '@seneschal/matrix';

/**
 * Has everything, or one room, indexed anew. The answer does not wait for it: the job is named in the header.
 * Asked while it is under way, the same job is answered.
 */
export const fulltextReindex = (deps: {
  search: Pick<SearchForAdmin, 'requireOn'>;
  jobs: Pick<Jobs, 'start'>;
}): Endpoint[] =>
  (['GET', 'POST'] as const).map((method) =>
    endpoint({
      method,
      path: '/_dendrite/admin/fulltext/reindex',
      access: 'admin',
      rateLimit: 'admin',
      summary: 'Indexes all messages anew, or those of one room, while search goes on',
      query: z.object({ room_id: z.string().refine(isRoomId, 'is not a room ID').optional() }),
      answer: z.object({}),
      handle: async ({ query: { room_id: roomId }, requester }) => {
        deps.search.requireOn();
        const options = { requestedBy: requester.userId };
        const { jobId } =
          roomId === undefined
            ? await deps.jobs.start(searchContract.reindex, {}, options)
            : await deps.jobs.start(searchContract.reindexRoom, { roomId }, options);
        return new Reply(
          200,
          {},
          { 'Seneschal-Job-Id': jobId, Location: `/_seneschal/v1/jobs/${encodeURIComponent(jobId)}` },
        );
      },
    }),
  );
