import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { checkPasswordRules, hashPassword } from '@seneschal/userapi';

import type { AccountDeps } from './deps.ts';
import { empty, optional } from './schemas.ts';
import { authenticate, uiaAnswers, uiaAuth } from './uia.ts';

export const changePassword = (deps: Pick<AccountDeps, 'bus' | 'userapi' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/account/password'),
    access: 'user',
    rateLimit: 'login',
    summary: 'Change the password and, unless told otherwise, end all other sessions',
    body: z.object({
      auth: uiaAuth,
      new_password: z.string(),
      logout_devices: optional(z.boolean()),
    }),
    answer: empty,
    otherAnswers: uiaAnswers,
    handle: async ({ requester, body }) => {
      const { userId } = requester;
      checkPasswordRules(body.new_password);
      const proof = {
        auth: body.auth,
        stages: ['m.login.password'] as const,
        operation: ['password'],
        userId,
      };
      const refused = await authenticate(deps, proof);
      if (refused !== undefined) return refused;
      await deps.bus.call(userapi.setPassword, {
        userId,
        passwordHash: await hashPassword(body.new_password, deps.config.bcrypt_cost),
        logoutDevices: body.logout_devices ?? true,
        keepDeviceId: requester.deviceId,
      });
      return {};
    },
  });
