import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { flag } from '../flag.ts';
import { requireLocalUserId } from '../users.ts';

/** Makes a user leave all rooms. The body is not read. */
export const evacuateUser = (deps: { bus: CallBus; config: { server_name: string } }): Endpoint[] =>
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
      answer: z.object({
        affected: z.array(z.string()),
        failed: z.array(z.object({ room_id: z.string(), reason: z.string() })).optional(),
      }),
      handle: async ({ params: { userId }, query, requester }) => {
        requireLocalUserId(userId, deps.config.server_name);
        const { affected, failed } = await deps.bus.call(roomserver.evacuateUser, {
          userId,
          requestedBy: requester.userId,
          dryRun: query.dry_run,
        });
        const reasons = failed.map(({ roomId, reason }) => ({ room_id: roomId, reason }));
        return { affected, ...(reasons.length > 0 ? { failed: reasons } : {}) };
      },
    }),
  );
