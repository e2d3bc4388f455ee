import { z } from 'zod';

import { roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { flag } from '../flag.ts';
import { longCall, longCallAnswers } from '../long-call.ts';
import { requireLocalUserId } from '../users.ts';
import { type Evacuation, type EvacuationDeps, evacuationOf, isJob } from './evacuation.ts';

const answer = z.object({
  affected: z.array(z.string()),
  failed: z.array(z.object({ room_id: z.string(), reason: z.string() })).optional(),
});

/** Makes a user leave all rooms, as a job when they are many. The body is not read. */
export const evacuateUser = (deps: EvacuationDeps): Endpoint[] =>
  (['GET', 'POST'] as const).map((method) =>
    endpoint({
      method,
      path: '/_dendrite/admin/evacuateUser/:userId',
      access: 'admin',
      rateLimit: 'admin',
      scope: 'users',
      summary: 'Makes a local user leave all rooms, and turns down all invites and knocks',
      params: z.object({ userId: z.string() }),
      query: z.object({ dry_run: flag }),
      answer,
      otherAnswers: longCallAnswers,
      handle: async (request) => {
        const { userId } = request.params;
        requireLocalUserId(userId, deps.config.server_name);
        const dryRun = request.query.dry_run;
        if (dryRun || !isJob(deps, request, await deps.roomserver.occupiedRooms(userId))) {
          const input = { userId, requestedBy: request.requester.userId, dryRun };
          const { affected, failed } = await deps.bus.call(roomserver.evacuateUser, input);
          return toAnswer({ affected, failed: failed.map(({ roomId: item, reason }) => ({ item, reason })) });
        }
        return longCall(deps, request, {
          kind: roomserver.evacuateUserJob,
          input: { userId },
          answer: async (job) => toAnswer(await evacuationOf(deps.jobs.reads, job)),
        });
      },
    }),
  );

function toAnswer({ affected, failed }: Evacuation): z.infer<typeof answer> {
  const reasons = failed.map(({ item, reason }) => ({ room_id: item, reason }));
  return { affected, ...(reasons.length > 0 ? { failed: reasons } : {}) };
}
