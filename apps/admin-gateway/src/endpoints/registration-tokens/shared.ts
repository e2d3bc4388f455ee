import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import { from, limitOr100 } from '../../paging.ts';
import {
  dendritePath,
  requireTokenForm,
  synapsePath,
  toAnswer,
  tokenAnswer,
  type TokenDeps,
  tokenParams,
} from './shapes.ts';

const paths = [`${dendritePath}/:token`, `${synapsePath}/:token`];

export const getToken = (deps: Pick<TokenDeps, 'userapi'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: paths,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'One registration token',
    params: tokenParams,
    answer: tokenAnswer,
    handle: async ({ params: { token } }) => {
      requireTokenForm(token);
      const found = await deps.userapi.registrationToken(token);
      if (found === undefined) throw notFound('There is no such registration token.');
      return toAnswer(found);
    },
  });

export const deleteToken = (deps: Pick<TokenDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: paths,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Takes a registration token away; who is half-way by it does not get in',
    params: tokenParams,
    answer: z.object({}),
    handle: async ({ params: { token } }) => {
      requireTokenForm(token);
      await deps.bus.call(userapi.deleteRegistrationToken, { token });
      return {};
    },
  });

export const usersOfToken = (deps: Pick<TokenDeps, 'userapi'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: paths.map((path) => `${path}/users`),
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The accounts that were made with a registration token',
    params: tokenParams,
    query: z.object({ from, limit: limitOr100 }),
    answer: z.object({
      users: z.array(z.object({ user_id: z.string(), registered_ts: z.number() })),
      total: z.number(),
      next_token: z.string().optional(),
    }),
    handle: async ({ params: { token }, query }) => {
      requireTokenForm(token);
      const page = { limit: query.limit, ...(query.from === undefined ? {} : { from: query.from }) };
      const found = await deps.userapi.usersOfRegistrationToken(token, page);
      if (found === undefined) throw notFound('There is no such registration token.');
      return {
        users: found.users.map((one) => ({ user_id: one.userId, registered_ts: one.registeredTs })),
        total: found.total,
        ...(found.next === undefined ? {} : { next_token: found.next }),
      };
    },
  });
