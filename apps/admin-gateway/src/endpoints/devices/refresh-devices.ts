import { z } from 'zod';

import { federation, type Job, type JobReads } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { MatrixError } from '@seneschal/matrix';

import { flag } from '../../flag.ts';
import { longCall, type LongCallDeps, longCallAnswers, rehearsalAnswer, rehearse } from '../../long-call.ts';
import { requireRemoteUserId } from '../../users.ts';

export interface RefreshDevicesDeps extends LongCallDeps {
  jobs: LongCallDeps['jobs'] & { reads: Pick<JobReads, 'items' | 'pace'> };
  config: LongCallDeps['config'] & { server_name: string };
}

/** Asks a remote user's own server for the user's devices. `{}` once they are stored; the job tells what changed. */
export const refreshDevices = (deps: RefreshDevicesDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_dendrite/admin/refreshDevices/:userId',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'federation',
    summary: 'Fetches the device list of a user of another server from that server',
    params: z.object({ userId: z.string() }),
    query: z.object({ dry_run: flag }),
    answer: z.union([z.strictObject({}), rehearsalAnswer]),
    otherAnswers: longCallAnswers,
    handle: async (request) => {
      const { userId } = request.params;
      requireRemoteUserId(userId, deps.config.server_name);
      if (request.query.dry_run) {
        return rehearse(deps.jobs, federation.refreshDevicesJob, { users: 1, remote_servers: 1 }, 1);
      }
      return longCall(deps, request, {
        kind: federation.refreshDevicesJob,
        input: { userId },
        answer: (job) => answerOf(deps, job),
      });
    },
  });

async function answerOf({ jobs }: RefreshDevicesDeps, { jobId, failedItems }: Job): Promise<object> {
  if (failedItems === 0) return {};
  const { rows } = await jobs.reads.items(jobId, { state: 'failed' }, { limit: 1 });
  const reason = rows[0]?.reason ?? 'The devices could not be fetched.';
  throw new MatrixError(502, 'M_UNKNOWN', reason, { job_id: jobId });
}
