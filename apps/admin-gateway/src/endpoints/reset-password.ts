import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { checkPasswordRules, hashPassword } from '@seneschal/userapi';

import { flag } from '../flag.ts';
import { localUserIdOf } from '../users.ts';

export interface ResetPasswordDeps {
  bus: CallBus;
  userapi: Pick<UserapiForAdmin, 'account' | 'sessionSummary'>;
  config: Pick<Config, 'server_name' | 'bcrypt_cost'>;
}

const rehearsal = z.object({
  password_updated: z.literal(false),
  sessions_ended: z.number(),
  pushers_removed: z.number(),
  devices_with_keys: z.number(),
  key_backup_exists: z.boolean(),
});

/** Sets a user's password; ends the sessions only when asked, as that can cost the user encrypted history. */
export const resetPassword = (deps: ResetPasswordDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_dendrite/admin/resetPassword/:user',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Sets the password of a user, given by user ID or localpart',
    params: z.object({ user: z.string() }),
    query: z.object({ dry_run: flag }),
    body: z.object({ password: z.string().nullish(), logout_devices: z.boolean().nullish() }),
    bodyStyle: 'go',
    answer: z.union([z.object({ password_updated: z.literal(true) }), rehearsal]),
    before: ({ user }) => requireAccount(deps, localUserIdOf(user, deps.config.server_name)),
    handle: async ({ params, query, body }) => {
      const userId = localUserIdOf(params.user, deps.config.server_name);
      const logoutDevices = body.logout_devices ?? false;
      checkPasswordRules(body.password ?? '');
      if (query.dry_run) return rehearse(deps, userId, logoutDevices);
      const passwordHash = await hashPassword(body.password ?? '', deps.config.bcrypt_cost);
      await deps.bus.call(userapi.setPassword, { userId, passwordHash, logoutDevices });
      return { password_updated: true as const };
    },
  });

async function requireAccount(deps: ResetPasswordDeps, userId: string): Promise<void> {
  const account = await deps.userapi.account(userId);
  if (account === undefined) throw notFound('There is no such user.');
  if (account.isDeactivated) throw notFound('The account is deactivated.');
}

async function rehearse(
  deps: ResetPasswordDeps,
  userId: string,
  logoutDevices: boolean,
): Promise<z.infer<typeof rehearsal>> {
  const summary = await deps.userapi.sessionSummary(userId);
  return {
    password_updated: false,
    sessions_ended: logoutDevices ? summary.devices : 0,
    pushers_removed: logoutDevices ? summary.pushers : 0,
    devices_with_keys: summary.devicesWithKeys,
    key_backup_exists: summary.hasKeyBackup,
  };
}
