import { randomBytes } from 'node:crypto';

import { z } from 'zod';

import { accountTypes, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, hashToken } from '@seneschal/http';
import {
  forbidden,
  guestAccessForbidden,
  invalidParam,
  makeUserId,
  missingParam,
  userInUse,
} from '@seneschal/matrix';
import { checkLocalpart, checkPasswordRules, hashPassword } from '@seneschal/userapi';

import type { AccountDeps } from './deps.ts';
import { newSession, sessionAnswer } from './new-session.ts';
import { deviceId, optional, text } from './schemas.ts';
import { authenticate, type Stage, uiaAnswers, uiaAuth } from './uia.ts';

type RegisterDeps = Pick<AccountDeps, 'bus' | 'userapi' | 'config'>;

const body = z.object({
  auth: uiaAuth,
  username: optional(z.string()),
  password: optional(z.string()),
  device_id: optional(deviceId),
  initial_device_display_name: optional(text()),
  inhibit_login: optional(z.boolean()),
  refresh_token: optional(z.boolean()),
});
type Body = z.infer<typeof body>;

export const register = (deps: RegisterDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/register'),
    access: 'public',
    rateLimit: 'register',
    summary: 'Make an account',
    query: z.object({ kind: z.string().optional() }),
    body,
    bodyOptional: true,
    answer: z.object({
      user_id: z.string(),
      device_id: z.string().optional(),
      home_server: z.string(),
      ...sessionAnswer,
      access_token: z.string().optional(),
    }),
    otherAnswers: uiaAnswers,
    handle: async ({ query, body, ip, userAgent }) => {
      checkRegistrationIsOpen(deps, query.kind);
      await checkName(deps, body.username);
      if (body.password !== undefined) checkPasswordRules(body.password);
      const operation = ['register', body.username ?? ''];
      const stages = stagesOf(deps.config);
      const refused = await authenticate(deps, { auth: body.auth, stages, operation });
      return refused ?? createOrRelease(deps, body, { ip, userAgent });
    },
  });

export const registerAvailable = (deps: RegisterDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/register/available'),
    access: 'public',
    rateLimit: 'register',
    summary: 'Whether a user name is free',
    query: z.object({ username: z.string() }),
    answer: z.object({ available: z.literal(true) }),
    handle: async ({ query }) => {
      checkRegistrationIsOpen(deps, undefined);
      await checkName(deps, query.username);
      return { available: true } as const;
    },
  });

export function checkRegistrationIsOpen(
  { config }: Pick<RegisterDeps, 'config'>,
  kind: string | undefined,
): void {
  if (kind === 'guest') throw guestAccessForbidden('There are no guest accounts here.');
  if (kind !== undefined && kind !== 'user') throw invalidParam('kind is user or guest.');
  if (!config.registration_enabled) throw forbidden('Registration is not open on this server.');
}

/** The token comes first: the dummy stage then makes the account, and until then the token's use is held. */
function stagesOf(config: RegisterDeps['config']): readonly Stage[] {
  return config.registration_requires_token
    ? ['m.login.registration_token', 'm.login.dummy']
    : ['m.login.dummy'];
}

async function checkName(deps: RegisterDeps, username: string | undefined): Promise<void> {
  if (username === undefined) return;
  checkLocalpart(username, deps.config.server_name);
  const userId = makeUserId(username, deps.config.server_name);
  if ((await deps.userapi.account(userId)) !== undefined)
    throw userInUse('Desired user ID is already taken.');
}

interface Registered extends Partial<ReturnType<typeof newSession>['shown']> {
  user_id: string;
  device_id?: string;
  home_server: string;
}

/** Makes the account; when it cannot be made, others may have the use of the token that was held for it. */
async function createOrRelease(
  deps: RegisterDeps,
  body: Body,
  connection: { ip: string; userAgent: string },
): Promise<Registered> {
  const { registration_requires_token: takesToken } = deps.config;
  const session = takesToken ? hashToken(body.auth?.session ?? '') : undefined;
  try {
    return await create(deps, body, connection, session);
  } catch (error) {
    if (session !== undefined) await deps.bus.call(userapi.releaseRegistrationUse, { session });
    throw error;
  }
}

async function create(
  deps: RegisterDeps,
  body: Body,
  connection: { ip: string; userAgent: string },
  registrationSession: string | undefined,
): Promise<Registered> {
  if (body.password === undefined) throw missingParam('The password is missing.');
  const { kept, shown } = newSession(deps.config, body.refresh_token === true);
  const device = {
    ...kept,
    deviceId: body.device_id,
    displayName: body.initial_device_display_name,
    connection,
  };
  const { userId, deviceId } = await deps.bus.call(userapi.createAccount, {
    localpart: body.username ?? randomBytes(8).toString('hex'),
    passwordHash: await hashPassword(body.password, deps.config.bcrypt_cost),
    accountType: accountTypes.user,
    registrationSession,
    ...(body.inhibit_login === true ? {} : { device }),
  });
  const session = deviceId === undefined ? {} : { ...shown, device_id: deviceId };
  return { user_id: userId, ...session, home_server: deps.config.server_name };
}
