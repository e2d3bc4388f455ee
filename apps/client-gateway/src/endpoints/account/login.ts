import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, hashToken } from '@seneschal/http';
import { forbidden, missingParam, unknown } from '@seneschal/matrix';

import { clientDiscovery, discoveryOf } from '../discovery/client.ts';
import type { AccountDeps } from './deps.ts';
import { fullUserId, userIdentifier } from './identifier.ts';
import { newSession, sessionAnswer } from './new-session.ts';
import { deviceId, optional, text } from './schemas.ts';

/** What can be logged in with. */
export const loginFlows = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/login'),
    access: 'public',
    rateLimit: 'login',
    summary: 'The ways to log in',
    answer: z.object({
      flows: z.array(z.object({ type: z.string(), get_login_token: z.boolean().optional() })),
    }),
    handle: async () => ({
      flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
    }),
  });

const body = z.object({
  type: text(),
  ...userIdentifier,
  password: optional(z.string()),
  token: optional(text()),
  device_id: optional(deviceId),
  initial_device_display_name: optional(text()),
  refresh_token: optional(z.boolean()),
});
type Body = z.infer<typeof body>;
type LoginDeps = Pick<AccountDeps, 'bus' | 'userapi' | 'config'>;

export const login = (deps: LoginDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/login'),
    access: 'public',
    rateLimit: 'login',
    summary: 'Log in with a password, or with a token of another device',
    body,
    answer: z.object({
      user_id: z.string(),
      device_id: z.string(),
      home_server: z.string(),
      ...sessionAnswer,
      well_known: clientDiscovery.optional(),
    }),
    handle: async ({ body, ip, userAgent }) => {
      const proven = await verified(deps, body);
      const { kept, shown } = newSession(deps.config, body.refresh_token === true);
      const { deviceId } = await deps.bus.call(userapi.createDevice, {
        ...proven,
        ...kept,
        deviceId: body.device_id,
        displayName: body.initial_device_display_name,
        connection: { ip, userAgent },
      });
      const home_server = deps.config.server_name;
      const wellKnown = discoveryOf(deps.config);
      return {
        ...{ user_id: proven.userId, device_id: deviceId, home_server, ...shown },
        ...(wellKnown === undefined ? {} : { well_known: wellKnown }),
      };
    },
  });

interface Proven {
  userId: string;
  passwordHashDigest?: string;
  loginTokenHash?: string;
}

async function verified(deps: LoginDeps, given: Body): Promise<Proven> {
  if (given.type === 'm.login.password') return byPassword(deps, given);
  if (given.type === 'm.login.token') return byToken(deps, given);
  throw unknown(400, 'Bad login type.');
}

/** The same answer whatever is wrong: it tells nobody which accounts there are. */
async function byPassword(deps: LoginDeps, given: Body): Promise<Proven> {
  const userId = fullUserId(given, deps.config.server_name);
  if (given.password === undefined) throw missingParam('The password is missing.');
  const found = await deps.userapi.verifyPassword(userId, given.password);
  if (found === undefined) throw forbidden('The username or password is incorrect.');
  return found;
}

async function byToken({ userapi }: LoginDeps, { token }: Body): Promise<Proven> {
  if (token === undefined) throw missingParam('The token is missing.');
  const loginTokenHash = hashToken(token);
  const userId = await userapi.userOfLoginToken(loginTokenHash);
  if (userId === undefined) throw forbidden('The login token is not known, has been used or has expired.');
  return { userId, loginTokenHash };
}
