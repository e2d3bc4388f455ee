import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, hashToken, newToken } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { jsonObject, requireSelf, userId } from './schemas.ts';

const lifetimeSeconds = 3600;

/** `POST /user/{userId}/openid/request_token`: the token shows others who the user is, and opens nothing. */
export const openidToken = (deps: Pick<AccountDeps, 'bus' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/user/:userId/openid/request_token'),
    access: 'user',
    rateLimit: 'keys',
    summary: 'A token by which others learn who the user is',
    params: z.object({ userId }),
    body: jsonObject,
    bodyOptional: true,
    answer: z.object({
      access_token: z.string(),
      token_type: z.literal('Bearer'),
      matrix_server_name: z.string(),
      expires_in: z.number(),
    }),
    handle: async ({ params, requester }) => {
      requireSelf(requester, params.userId);
      const { userId, deviceId } = requester;
      const token = newToken();
      const expiresTs = Date.now() + lifetimeSeconds * 1000;
      const kept = { userId, deviceId, tokenHash: hashToken(token), expiresTs };
      await deps.bus.call(userapi.createOpenidToken, kept);
      return {
        access_token: token,
        token_type: 'Bearer' as const,
        matrix_server_name: deps.config.server_name,
        expires_in: lifetimeSeconds,
      };
    },
  });
