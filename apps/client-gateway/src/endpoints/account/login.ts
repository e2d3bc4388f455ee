import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, hashToken, newToken } from '@seneschal/http';
import { forbidden, missingParam, unknown } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { fullUserId, userIdentifier } from './identifier.ts';
import { deviceId, optional, text } from './schemas.ts';

/** What can be logged in with. */
export const loginFlows = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/login'),
    access: 'public',
    rateLimit: 'login',
    summary: 'The ways to log in',
    answer: z.object({ flows: z.array(z.object({ type: z.string() })) }),
    handle: async () => ({ flows: [{ type: 'm.login.password' }] }),
  });

const body = z.object({
  type: text(),
  ...userIdentifier,
  password: optional(z.string()),
  device_id: optional(deviceId),
  initial_device_display_name: optional(text()),
});

export const login = (deps: Pick<AccountDeps, 'bus' | 'userapi' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/login'),
    access: 'public',
    rateLimit: 'login',
    summary: 'Log in with a password',
    body,
    answer: z.object({
      user_id: z.string(),
      access_token: z.string(),
      device_id: z.string(),
      home_server: z.string(),
    }),
    handle: async ({ body, ip, userAgent }) => {
      const { userId, passwordHashDigest } = await verified(deps, body);
      const accessToken = newToken();
      const { deviceId } = await deps.bus.call(userapi.createDevice, {
        userId,
        passwordHashDigest,
        deviceId: body.device_id,
        displayName: body.initial_device_display_name,
        tokenHash: hashToken(accessToken),
        connection: { ip, userAgent },
      });
      const home_server = deps.config.server_name;
      return { user_id: userId, access_token: accessToken, device_id: deviceId, home_server };
    },
  });

/** The same answer whatever is wrong: it tells nobody which accounts there are. */
async function verified(
  deps: Pick<AccountDeps, 'userapi' | 'config'>,
  given: z.infer<typeof body>,
): Promise<{ userId: string; passwordHashDigest: string }> {
  if (given.type !== 'm.login.password') throw unknown(400, 'Bad login type.');
  const userId = fullUserId(given, deps.config.server_name);
  if (given.password === undefined) throw missingParam('The password is missing.');
  const found = await deps.userapi.verifyPassword(userId, given.password);
  if (found === undefined) throw forbidden('The username or password is incorrect.');
  return found;
}
