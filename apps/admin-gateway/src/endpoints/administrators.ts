import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { accountTypes, userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound, unknown } from '@seneschal/matrix';

import { requireLocalUserId } from '../users.ts';

export interface AdministratorDeps {
  bus: CallBus;
  userapi: Pick<UserapiForAdmin, 'account'>;
  config: { server_name: string };
}

const path = '/_synapse/admin/v1/users/:userId/admin';
const params = z.object({ userId: z.string() });

export const getAdministrator = (deps: Omit<AdministratorDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'Whether a user is an administrator',
    params,
    answer: z.object({ admin: z.boolean() }),
    handle: async ({ params: { userId } }) => {
      requireLocalUserId(userId, deps.config.server_name);
      const account = await deps.userapi.account(userId);
      if (account === undefined) throw notFound('There is no such user.');
      return { admin: account.accountType === accountTypes.admin && !account.isDeactivated };
    },
  });

/** Promotes or demotes a user; nobody demotes themselves, and nobody the last administrator. */
export const setAdministrator = (deps: Pick<AdministratorDeps, 'bus' | 'config'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Makes a user an administrator, or an ordinary user again',
    params,
    body: z.object({ admin: z.boolean() }),
    answer: z.object({}),
    handle: async ({ params: { userId }, body, requester }) => {
      requireLocalUserId(userId, deps.config.server_name);
      if (userId === requester.userId && !body.admin) throw unknown(400, 'You may not demote yourself.');
      await deps.bus.call(userapi.setAdministrator, { userId, isAdmin: body.admin });
      return {};
    },
  });
