import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { accountTypes, userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint, hashToken, newToken } from '@seneschal/http';
import { badJson, invalidParam, makeUserId, userInUse } from '@seneschal/matrix';
import { checkLocalpart, checkPasswordRules, hashPassword } from '@seneschal/userapi';

import type { Nonces } from '../nonces.ts';
import { checkMac, readRegistration, type Registration } from '../shared-secret.ts';

export interface RegisterDeps {
  bus: CallBus;
  userapi: Pick<UserapiForAdmin, 'account'>;
  config: Pick<Config, 'server_name' | 'bcrypt_cost'>;
  nonces: Nonces;
  secret: string;
}

const path = '/_synapse/admin/v1/register';
const deviceId = 'shared_secret_registration';
const longestUserId = 255;

/** The first half of a registration: a nonce that its MAC covers. */
export const registerNonce = (deps: Pick<RegisterDeps, 'nonces'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    isAdminApi: true,
    rateLimit: 'read',
    summary: 'A nonce for a registration with the shared secret, good once and for a minute',
    answer: z.object({ nonce: z.string() }),
    handle: async () => ({ nonce: await deps.nonces.issue() }),
  });

/** Makes an account, also an administrator's, for whoever knows the shared secret. */
export const register = (deps: RegisterDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'public',
    isAdminApi: true,
    rateLimit: 'write',
    scope: 'users',
    audit: true,
    summary: 'Makes an account for whoever knows the shared secret',
    body: z.looseObject({ nonce: z.string().nullish() }),
    bodyStyle: 'go',
    brokenBody: 'M_BAD_JSON',
    answer: z.object({
      user_id: z.string(),
      access_token: z.string(),
      device_id: z.string(),
      home_server: z.string(),
    }),
    handle: async ({ body, ip, userAgent }) => {
      const nonce = body.nonce ?? '';
      // First of all: a nonce is used up by the attempt, whatever else is wrong with it.
      if (!(await deps.nonces.take(nonce))) throw invalidParam('The nonce is unknown, expired or used.');
      const given = readRegistration(body);
      checkMac(deps.secret, nonce, given);
      await checkName(deps, given.username);
      checkPasswordRules(given.password);
      return createAccount(deps, given, { ip, userAgent });
    },
  });

/** Throws M_INVALID_USERNAME, M_BAD_JSON when the user ID would be too long, M_USER_IN_USE. */
async function checkName({ config, userapi }: RegisterDeps, username: string): Promise<void> {
  if (`@${username}:${config.server_name}`.length > longestUserId) {
    throw badJson(`With a user name so long the user ID has more than ${longestUserId} characters.`);
  }
  checkLocalpart(username, config.server_name);
  // Asked here to spare a hash; createAccount decides.
  const account = await userapi.account(makeUserId(username, config.server_name));
  if (account !== undefined) throw userInUse('The user name is taken.');
}

interface Registered {
  user_id: string;
  access_token: string;
  device_id: string;
  home_server: string;
}

async function createAccount(
  { bus, config }: RegisterDeps,
  given: Registration,
  connection: { ip: string; userAgent: string },
): Promise<Registered> {
  const token = newToken();
  const { userId } = await bus.call(userapi.createAccount, {
    localpart: given.username,
    passwordHash: await hashPassword(given.password, config.bcrypt_cost),
    accountType: given.admin ? accountTypes.admin : accountTypes.user,
    ...(given.displayname === '' ? {} : { displayname: given.displayname }),
    device: { deviceId, tokenHash: hashToken(token), connection },
  });
  return { user_id: userId, access_token: token, device_id: deviceId, home_server: config.server_name };
}
