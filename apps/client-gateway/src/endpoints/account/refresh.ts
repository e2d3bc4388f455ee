import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, hashToken } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { renewable, sessionAnswer } from './new-session.ts';
import { text } from './schemas.ts';

/** `POST /refresh`: the refresh token proves who asks, so an access token that has expired is none. */
export const refresh = (deps: Pick<AccountDeps, 'bus' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/refresh'),
    access: 'public',
    rateLimit: 'login',
    summary: 'New tokens for a session, by its refresh token',
    body: z.object({ refresh_token: text() }),
    answer: z.object(sessionAnswer),
    handle: async ({ body: { refresh_token: refreshToken } }) => {
      const { kept: next, shown } = renewable(deps.config);
      await deps.bus.call(userapi.refreshSession, { refreshHash: hashToken(refreshToken), next });
      return shown;
    },
  });
