import type { JobReads } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { limitOr100 } from '../../paging.ts';
import { jobAnswer, path, state, toAnswer } from './shapes.ts';

/** The list of all jobs, newest first. */
export const listJobs = (deps: { jobs: { reads: Pick<JobReads, 'list'> } }): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    // A client that follows a job asks again and again, and changes nothing.
    audit: false,
    summary: 'The jobs, newest first',
    query: z.object({
      kind: z.string().optional(),
      state: state.optional(),
      target: z.string().optional(),
      requested_by: z.string().optional(),
      parent_id: z.string().optional(),
      from: z.string().optional(),
      limit: limitOr100,
    }),
    answer: z.object({ jobs: z.array(jobAnswer), next_batch: z.string().optional() }),
    handle: async ({ query: { from, limit, requested_by: requestedBy, parent_id: parentId, ...filter } }) => {
      const { rows, next } = await deps.jobs.reads.list(
        { ...filter, requestedBy, parentId },
        { from, limit: Math.max(1, limit) },
      );
      return { jobs: rows.map(toAnswer), ...(next === undefined ? {} : { next_batch: next }) };
    },
  });
