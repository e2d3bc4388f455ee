import { z } from 'zod';

import { roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { flag } from '../flag.ts';
import { longCallAnswers, rehearsalAnswer } from '../long-call.ts';
import { requireLocalUserId } from '../users.ts';
import { evacuate, type Evacuation, type EvacuationDeps, rehearseEvacuation } from './evacuation.ts';

const answer = z.object({
  affected: z.array(z.string()),
  failed: z.array(z.object({ room_id: z.string(), reason: z.string() })).optional(),
  ...rehearsalAnswer.partial().shape,
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
        const command = { userId, requestedBy: request.requester.userId, dryRun: request.query.dry_run };
        if (command.dryRun) return rehearsal(deps, command);
        const size = await deps.roomserver.occupiedRooms(userId);
        const run = async (): Promise<Evacuation> =>
          toEvacuation(await deps.bus.call(roomserver.evacuateUser, command));
        const kind = roomserver.evacuateUserJob;
        return evacuate(deps, request, { kind, input: { userId }, size, run, toAnswer });
      },
    }),
  );

async function rehearsal(
  deps: EvacuationDeps,
  command: z.infer<typeof roomserver.evacuateUser.input>,
): Promise<z.infer<typeof answer>> {
  const would = await deps.bus.call(roomserver.evacuateUser, command);
  const of = { users: would.affected.length > 0 ? 1 : 0, rooms: would.affected };
  const rehearsed = await rehearseEvacuation(deps, roomserver.evacuateUserJob, would, of);
  return { ...toAnswer(toEvacuation(would)), ...rehearsed };
}

function toEvacuation({ affected, failed }: z.infer<typeof roomserver.evacuateUser.output>): Evacuation {
  return { affected, failed: failed.map(({ roomId: item, reason }) => ({ item, reason })) };
}

function toAnswer({ affected, failed }: Evacuation): z.infer<typeof answer> {
  const reasons = failed.map(({ item, reason }) => ({ room_id: item, reason }));
  return { affected, ...(reasons.length > 0 ? { failed: reasons } : {}) };
}
