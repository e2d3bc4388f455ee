import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { optional } from './schemas.ts';
import { authenticate, uiaAnswers, uiaAuth } from './uia.ts';

export const deactivate = (deps: Pick<AccountDeps, 'bus' | 'userapi' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/account/deactivate'),
    access: 'user',
    rateLimit: 'login',
    summary: 'Deactivate the account for ever',
    body: z.object({ auth: uiaAuth, erase: optional(z.boolean()) }),
    bodyOptional: true,
    answer: z.object({ id_server_unbind_result: z.literal('success') }),
    otherAnswers: uiaAnswers,
    handle: async ({ requester: { userId }, body: { auth, erase } }) => {
      const proof = { auth, stages: ['m.login.password'] as const, operation: ['deactivate'], userId };
      const refused = await authenticate(deps, proof);
      if (refused !== undefined) return refused;
      await deps.bus.call(userapi.deactivateAccount, { userId, erase });
      // No identity server knows anything of the account.
      return { id_server_unbind_result: 'success' } as const;
    },
  });
