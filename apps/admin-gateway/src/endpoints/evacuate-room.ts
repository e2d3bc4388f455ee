import { z } from 'zod';

import { roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { isRoomId, notFound } from '@seneschal/matrix';

import { flag } from '../flag.ts';
import { longCallAnswers, rehearsalAnswer } from '../long-call.ts';
import { evacuate, type Evacuation, type EvacuationDeps, rehearseEvacuation } from './evacuation.ts';

const answer = z.object({
  affected: z.array(z.string()),
  failed: z.array(z.object({ user_id: z.string(), reason: z.string() })).optional(),
  ...rehearsalAnswer.partial().shape,
});

/** Makes all local users leave a room, as a job when they are many. The body is not read. */
export const evacuateRoom = (deps: EvacuationDeps): Endpoint[] =>
  (['GET', 'POST'] as const).map((method) =>
    endpoint({
      method,
      path: '/_dendrite/admin/evacuateRoom/:roomId',
      access: 'admin',
      rateLimit: 'admin',
      scope: 'rooms',
      summary: 'Makes all local users leave a room, and withdraws their invites and knocks',
      params: z.object({ roomId: z.string() }),
      query: z.object({ dry_run: flag, block: flag }),
      answer,
      otherAnswers: longCallAnswers,
      handle: async (request) => {
        const { roomId } = request.params;
        const size = isRoomId(roomId) ? await deps.roomserver.occupants(roomId) : undefined;
        if (size === undefined) throw notFound('There is no such room.');
        const { dry_run: dryRun, block } = request.query;
        const input = { roomId, requestedBy: request.requester.userId, block };
        if (dryRun) return rehearsal(deps, input);
        const command = { ...input, dryRun: false };
        const run = async (): Promise<Evacuation> =>
          toEvacuation(await deps.bus.call(roomserver.evacuateRoom, command));
        return evacuate(deps, request, { kind: roomserver.evacuateRoomJob, input, size, run, toAnswer });
      },
    }),
  );

async function rehearsal(
  deps: EvacuationDeps,
  input: z.infer<typeof roomserver.evacuateRoomJob.input>,
): Promise<z.infer<typeof answer>> {
  const would = await deps.bus.call(roomserver.evacuateRoom, { ...input, dryRun: true });
  const of = { users: would.affected.length, rooms: [input.roomId] };
  const rehearsed = await rehearseEvacuation(deps, roomserver.evacuateRoomJob, would, of);
  return { ...toAnswer(toEvacuation(would)), ...rehearsed };
}

function toEvacuation({ affected, failed }: z.infer<typeof roomserver.evacuateRoom.output>): Evacuation {
  return { affected, failed: failed.map(({ userId: item, reason }) => ({ item, reason })) };
}

function toAnswer({ affected, failed }: Evacuation): z.infer<typeof answer> {
  const reasons = failed.map(({ item, reason }) => ({ user_id: item, reason }));
  return { affected, ...(reasons.length > 0 ? { failed: reasons } : {}) };
}
