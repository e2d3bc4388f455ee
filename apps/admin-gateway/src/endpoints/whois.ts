import { z } from 'zod';

import { accountTypes, type UserapiForAdmin } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { forbidden, notFound } from '@seneschal/matrix';

import { requireKnowableUserId } from '../users.ts';

const connection = z.object({ ip: z.string(), last_seen: z.number(), user_agent: z.string() });
const session = z.object({ connections: z.array(connection) });

/** Client-server API, "Server Administration": every session of a user with the connections seen. */
export const whois = (deps: {
  userapi: Pick<UserapiForAdmin, 'sessions'>;
  config: { server_name: string };
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/admin/whois/:userId'),
    access: 'user',
    rateLimit: 'read',
    scope: 'read',
    // An administrator who looks at somebody else is told what is private.
    audit: ({ params, requester }) =>
      requester.accountType === accountTypes.admin && !isSelf(params, requester.userId),
    summary: 'Sessions and connections of a user, for the user and for administrators',
    params: z.object({ userId: z.string() }),
    answer: z.object({
      user_id: z.string(),
      devices: z.record(z.string(), z.object({ sessions: z.array(session) })),
    }),
    handle: async ({ params: { userId }, requester }) => {
      // Before anything is looked up: the answer must not tell who has an account.
      if (requester.userId !== userId && requester.accountType !== accountTypes.admin) {
        throw forbidden('Only administrators may look at other users.');
      }
      requireKnowableUserId(userId, deps.config.server_name);
      const sessions = await deps.userapi.sessions(userId);
      if (sessions === undefined) throw notFound('There is no such user.');
      return { user_id: userId, devices: Object.fromEntries(sessions.map(asDevice)) };
    },
  });

function isSelf(params: unknown, userId: string): boolean {
  return (params as { userId: string }).userId === userId;
}

type Session = NonNullable<Awaited<ReturnType<UserapiForAdmin['sessions']>>>[number];
type Device = [deviceId: string, device: { sessions: z.infer<typeof session>[] }];

function asDevice({ deviceId, connections }: Session): Device {
  const seen = connections.map(({ ip, lastSeen, userAgent }) => ({
    ip,
    last_seen: lastSeen,
    user_agent: userAgent,
  }));
  return [deviceId, { sessions: [{ connections: seen }] }];
}
