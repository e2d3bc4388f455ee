import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { federation, type Job, type RoomserverForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { invalidParam, isRoomId, isServerName, MatrixError, notFound } from '@seneschal/matrix';

import { flag } from '../../flag.ts';
import { longCall, type LongCallDeps, longCallAnswers, rehearsalAnswer, rehearse } from '../../long-call.ts';

export interface DownloadStateDeps extends LongCallDeps {
  bus: CallBus;
  jobs: LongCallDeps['jobs'] & Pick<Jobs, 'reads'>;
  roomserver: Pick<RoomserverForAdmin, 'roomExists'>;
  config: LongCallDeps['config'] & { server_name: string };
}

/** Entries of a list in a rehearsal; `counts` has how many there are. */
const most = 1000;

const difference = rehearsalAnswer.extend({
  changes: z.array(
    z.object({
      type: z.string(),
      state_key: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
  dropped: z.array(z.object({ event_id: z.string(), reason: z.string() })),
});

/**
 * Fetches the state of a room from another server and resolves it against ours. `{}` once it is done; the job tells what
 * changed and what was dropped. Nobody's membership matters, and no event is sent into the room.
 */
export const downloadState = (deps: DownloadStateDeps): Endpoint[] =>
  (['GET', 'POST'] as const).map((method) =>
    endpoint({
      method,
      path: '/_dendrite/admin/downloadState/:serverName/:roomId',
      access: 'admin',
      rateLimit: 'admin',
      scope: 'federation',
      summary: 'Fetches the state of a room from another server, and resolves it against the one here',
      params: z.object({ serverName: z.string(), roomId: z.string() }),
      query: z.object({ dry_run: flag }),
      answer: z.union([z.strictObject({}), difference]),
      otherAnswers: longCallAnswers,
      handle: async (request) => {
        const { serverName, roomId } = request.params;
        if (!isServerName(serverName)) throw invalidParam('serverName: is not a server name.');
        if (serverName === deps.config.server_name) throw invalidParam('This is this server itself.');
        if (!isRoomId(roomId)) throw invalidParam('roomId: is not a room ID.');
        if (!(await deps.roomserver.roomExists(roomId))) throw notFound('There is no such room.');
        if (request.query.dry_run) return rehearsal(deps, { serverName, roomId });
        return longCall(deps, request, {
          kind: federation.downloadStateJob,
          input: { serverName, roomId },
          answer: (job) => answerOf(deps, job),
        });
      },
    }),
  );

async function answerOf({ jobs }: DownloadStateDeps, { jobId, failedItems }: Job): Promise<object> {
  if (failedItems === 0) return {};
  const { rows } = await jobs.reads.items(jobId, { state: 'failed' }, { limit: 1 });
  const reason = rows[0]?.reason ?? 'The state could not be fetched.';
  throw new MatrixError(502, 'M_UNKNOWN', reason, { job_id: jobId });
}

async function rehearsal(
  { bus, jobs }: DownloadStateDeps,
  input: { serverName: string; roomId: string },
): Promise<z.infer<typeof difference>> {
  const { changes, dropped, newEvents } = await bus.call(federation.rehearseDownload, input);
  const counts = {
    events: newEvents,
    state: changes.length,
    dropped: dropped.length,
    remote_servers: 1,
  };
  const answer = await rehearse(jobs, federation.downloadStateJob, counts, changes.length + dropped.length);
  return {
    ...answer,
    changes: changes.slice(0, most).map(({ stateKey, ...change }) => ({ ...change, state_key: stateKey })),
    dropped: dropped.slice(0, most).map(({ eventId, reason }) => ({ event_id: eventId, reason })),
  };
}
