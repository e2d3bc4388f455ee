import { z } from 'zod';

import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, optional, requireSelf, text, userId } from './schemas.ts';

const path = clientPaths('/presence/:userId/status');
const params = z.object({ userId });

/** Presence is off: what clients say of it is taken, and everybody is offline. */
export const presence = (deps: { userapi: Pick<AccountDeps['userapi'], 'profile'> }): Endpoint[] => [
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    rateLimit: 'write',
    summary: 'Taken, without effect: presence is off',
    params,
    body: z.object({
      presence: z.enum(['online', 'offline', 'unavailable']),
      status_msg: optional(text(1000)),
    }),
    answer: empty,
    handle: async ({ requester, params }) => {
      requireSelf(requester, params.userId);
      return {};
    },
  }),
  endpoint({
    method: 'GET',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'Always offline: presence is off',
    params,
    answer: z.object({ presence: z.literal('offline') }),
    handle: async ({ params }) => {
      if ((await deps.userapi.profile(params.userId)) === undefined) throw notFound('There is no such user.');
      return { presence: 'offline' as const };
    },
  }),
];
