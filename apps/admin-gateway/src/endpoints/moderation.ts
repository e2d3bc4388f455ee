import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type Account, accountTypes, userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { forbidden, notFound } from '@seneschal/matrix';

import { requireLocalUserId } from '../users.ts';

export interface ModerationDeps {
  bus: CallBus;
  userapi: Pick<UserapiForAdmin, 'account'>;
  config: { server_name: string };
}

const params = z.object({ userId: z.string() });

interface Kind {
  path: string;
  state: 'suspended' | 'locked';
  read: string;
  write: string;
  of(account: Account): boolean;
  change(value: boolean): { isSuspended: boolean } | { isLocked: boolean };
}

const suspend: Kind = {
  path: '/_matrix/client/v1/admin/suspend/:userId',
  state: 'suspended',
  read: 'Whether a user is suspended',
  write: 'Suspends a user, who may then read and tidy up, or takes it back',
  of: ({ isSuspended }) => isSuspended,
  change: (isSuspended) => ({ isSuspended }),
};

const lock: Kind = {
  path: '/_matrix/client/v1/admin/lock/:userId',
  state: 'locked',
  read: 'Whether a user is locked',
  write: 'Locks a user, who may then do nothing but log out, or takes it back',
  of: ({ isLocked }) => isLocked,
  change: (isLocked) => ({ isLocked }),
};

/** Client-server API v1.18, "Server Administration": suspending and locking accounts. */
export function moderationEndpoints(deps: ModerationDeps): Endpoint[] {
  return [suspend, lock].flatMap((kind) => [get(deps, kind), put(deps, kind)]);
}

const get = (deps: ModerationDeps, kind: Kind): Endpoint =>
  endpoint({
    method: 'GET',
    path: kind.path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: kind.read,
    params,
    answer: z.object({ [kind.state]: z.boolean() }),
    handle: async ({ params: { userId } }) => {
      const account = await moderated(deps, userId);
      return { [kind.state]: kind.of(account) };
    },
  });

const put = (deps: ModerationDeps, kind: Kind): Endpoint =>
  endpoint({
    method: 'PUT',
    path: kind.path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: kind.write,
    params,
    body: z.object({ [kind.state]: z.boolean() }),
    answer: z.object({ [kind.state]: z.boolean() }),
    handle: async ({ params: { userId }, body }) => {
      requireLocalUserId(userId, deps.config.server_name);
      const value = body[kind.state] === true;
      await deps.bus.call(userapi.moderateAccount, { userId, ...kind.change(value) });
      return { [kind.state]: value };
    },
  });

/** M_INVALID_PARAM for other servers' users, M_NOT_FOUND for who has no account, M_FORBIDDEN for administrators. */
async function moderated({ userapi, config }: ModerationDeps, userId: string): Promise<Account> {
  requireLocalUserId(userId, config.server_name);
  const account = await userapi.account(userId);
  if (account === undefined || account.isDeactivated) throw notFound('There is no such user.');
  if (account.accountType === accountTypes.admin) throw forbidden('The user is an administrator.');
  return account;
}
