import { z } from 'zod';

import { endpoint, type Endpoint } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { checkRegistrationIsOpen } from './register.ts';
import { text } from './schemas.ts';

/** Lets a form tell at once that a token is no good. What counts is the stage of the registration. */
export const registrationTokenValidity = (deps: {
  userapi: Pick<AccountDeps['userapi'], 'isRegistrationTokenValid'>;
  config: AccountDeps['config'];
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/v1/register/m.login.registration_token/validity',
    access: 'public',
    rateLimit: 'register',
    summary: 'Whether a registration token lets somebody in now',
    query: z.object({ token: text() }),
    answer: z.object({ valid: z.boolean() }),
    handle: async ({ query }) => {
      checkRegistrationIsOpen(deps, undefined);
      return { valid: await deps.userapi.isRegistrationTokenValid(query.token) };
    },
  });
