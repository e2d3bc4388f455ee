import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { endpoint, type Endpoint, hashToken, newToken } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { authenticate, uiaAnswers, uiaAuth } from './uia.ts';

/** As the specification recommends. */
const lifetimeMs = 120_000;

/** `POST /login/get_token`: the user proves each time that it is them who let another device in. */
export const loginToken = (deps: Pick<AccountDeps, 'bus' | 'userapi' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_matrix/client/v1/login/get_token',
    access: 'user',
    rateLimit: 'login',
    summary: 'A token by which another device of the user logs in, once and soon',
    body: z.object({ auth: uiaAuth }),
    bodyOptional: true,
    answer: z.object({ login_token: z.string(), expires_in_ms: z.number() }),
    otherAnswers: uiaAnswers,
    handle: async ({ requester: { userId, deviceId }, body: { auth } }) => {
      const proof = { auth, stages: ['m.login.password'] as const, operation: ['login token'], userId };
      const refused = await authenticate(deps, proof);
      if (refused !== undefined) return refused;
      const token = newToken();
      const expiresTs = Date.now() + lifetimeMs;
      const kept = { userId, deviceId, tokenHash: hashToken(token), expiresTs };
      await deps.bus.call(userapi.createLoginToken, kept);
      return { login_token: token, expires_in_ms: lifetimeMs };
    },
  });
