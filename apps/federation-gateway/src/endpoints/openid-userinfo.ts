import { z } from 'zod';

import type { UserapiForFederation } from '@seneschal/contracts';
import { endpoint, type Endpoint, hashToken } from '@seneschal/http';
import { missingToken, unknownToken } from '@seneschal/matrix';

/** Server-server API, `GET /openid/userinfo`: for whoever was shown a token, be it a server or not. */
export const openidUserinfo = (deps: {
  userapi: Pick<UserapiForFederation, 'userOfOpenidToken'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/openid/userinfo',
    access: 'public',
    rateLimit: 'read',
    summary: 'Whose OpenID token this is',
    query: z.object({ access_token: z.string().optional() }),
    answer: z.object({ sub: z.string() }),
    handle: async ({ query: { access_token: token } }) => {
      if (token === undefined || token === '') throw missingToken();
      const sub = await deps.userapi.userOfOpenidToken(hashToken(token));
      if (sub === undefined) throw unknownToken('The OpenID token is not known, or has expired.');
      return { sub };
    },
  });
