import type { JobReads } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { limitOr100 } from '../../paging.ts';
import { found, itemAnswer, jobAnswer, jobParams, path, toAnswer, toItem } from './shapes.ts';

interface Deps {
  jobs: { reads: Pick<JobReads, 'get' | 'items'> };
}

/** One job, with what it was given. */
export const getJob = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:jobId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    // A client that follows a job asks again and again, and changes nothing.
    audit: false,
    summary: 'How far a job is, how fast it goes, and when it is likely to end',
    params: jobParams,
    answer: jobAnswer.extend({ input: z.record(z.string(), z.unknown()) }),
    handle: async ({ params: { jobId } }) => {
      const job = found(await deps.jobs.reads.get(jobId));
      return { ...toAnswer(job), input: job.input };
    },
  });

/** What became of the items of a job, where that was kept: always of those that failed or were skipped. */
export const jobItems = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:jobId/items`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    // A client that follows a job asks again and again, and changes nothing.
    audit: false,
    summary: 'Results of the items of a job, with the reason of each that failed or was skipped',
    params: jobParams,
    query: z.object({
      state: z.enum(['done', 'skipped', 'failed'], 'is done, skipped or failed').optional(),
      from: z.string().optional(),
      limit: limitOr100,
    }),
    answer: z.object({ items: z.array(itemAnswer), next_batch: z.string().optional() }),
    handle: async ({ params: { jobId }, query: { state, from, limit } }) => {
      found(await deps.jobs.reads.get(jobId));
      const page = { from, limit: Math.max(1, limit) };
      const { rows, next } = await deps.jobs.reads.items(jobId, { state }, page);
      return { items: rows.map(toItem), ...(next === undefined ? {} : { next_batch: next }) };
    },
  });
