import { endpoint, type Endpoint } from '@seneschal/http';
import type { Action, Jobs } from '@seneschal/jobs';

import { jobAnswer, jobParams, path, toAnswer } from './shapes.ts';

const summaries: Record<Action, string> = {
  cancel: 'Ends a job between two steps; what it did stays done',
  pause: 'Halts a job between two steps',
  resume: 'Lets a paused job go on',
  retry: 'Does what failed in a job again, and nothing else',
};

/** Each answers the job as it is then; asking for what is so already changes nothing. */
export const controlJobs = (deps: { jobs: Pick<Jobs, 'control'> }): Endpoint[] =>
  (Object.keys(summaries) as Action[]).map((action) =>
    endpoint({
      method: 'POST',
      path: `${path}/:jobId/${action}`,
      access: 'admin',
      rateLimit: 'admin',
      scope: 'server',
      summary: summaries[action],
      params: jobParams,
      answer: jobAnswer,
      handle: async ({ params: { jobId } }) => toAnswer(await deps.jobs.control(jobId, action)),
    }),
  );
