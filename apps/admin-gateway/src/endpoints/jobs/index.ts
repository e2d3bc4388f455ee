import type { Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';

import { controlJobs } from './control.ts';
import { jobEvents } from './events.ts';
import { getJob, jobItems } from './get.ts';
import { listJobs } from './list.ts';

/** Looking at jobs, following them, and deciding what becomes of them. */
export function jobEndpoints(deps: {
  jobs: Pick<Jobs, 'reads' | 'control' | 'changeAfter' | 'isStopped'>;
}): Endpoint[] {
  return [listJobs(deps), getJob(deps), jobItems(deps), jobEvents(deps), ...controlJobs(deps)];
}
