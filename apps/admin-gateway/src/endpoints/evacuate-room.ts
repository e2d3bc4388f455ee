import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { isRoomId, notFound } from '@seneschal/matrix';

import { flag } from '../flag.ts';

/** Makes all local users leave a room. The body is not read. */
export const evacuateRoom = (deps: { bus: CallBus }): Endpoint[] =>
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
      answer: z.object({
        affected: z.array(z.string()),
        failed: z.array(z.object({ user_id: z.string(), reason: z.string() })).optional(),
      }),
      handle: async ({ params: { roomId }, query, requester }) => {
        if (!isRoomId(roomId)) throw notFound('There is no such room.');
        const { affected, failed } = await deps.bus.call(roomserver.evacuateRoom, {
          roomId,
          requestedBy: requester.userId,
          dryRun: query.dry_run,
          block: query.block,
        });
        const reasons = failed.map(({ userId, reason }) => ({ user_id: userId, reason }));
        return { affected, ...(reasons.length > 0 ? { failed: reasons } : {}) };
      },
    }),
  );
