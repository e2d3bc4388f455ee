import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { badJson, forbidden, isMatrixError } from '@seneschal/matrix';

import {
  checkUses,
  dendritePath,
  newTokenBody,
  readNewToken,
  requireTokenForm,
  toAnswer,
  tokenAnswer,
  type TokenDeps,
  tokenParams,
  tokensAnswer,
} from './shapes.ts';

/** As Go's ParseBool reads it. */
const flags = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

export const createToken = (deps: Pick<TokenDeps, 'bus' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: `${dendritePath}/new`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Makes a registration token',
    body: newTokenBody,
    bodyStyle: 'go',
    brokenBody: 'M_BAD_JSON',
    answer: tokenAnswer,
    before: async () => {
      if (!deps.config.registration_requires_token) {
        throw forbidden('Registration takes no token here: set registration_requires_token.');
      }
    },
    handle: async ({ body, requester }) => {
      const input = { ...readNewToken(body, badJson), createdBy: requester.userId };
      return toAnswer(await deps.bus.call(userapi.createRegistrationToken, input));
    },
  });

export const listTokens = (deps: Pick<TokenDeps, 'userapi'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: dendritePath,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The registration tokens; with valid=true those that let somebody in, with false the others',
    query: z.object({ valid: z.string().optional() }),
    answer: tokensAnswer,
    handle: async ({ query: { valid } }) => {
      const flag = valid === undefined ? undefined : flags.get(valid);
      if (valid !== undefined && flag === undefined) throw badJson('valid: is true or false.');
      const { tokens } = await deps.userapi.registrationTokens(flag === undefined ? {} : { valid: flag });
      return { registration_tokens: tokens.map(toAnswer) };
    },
  });

const number = z.int('is neither a whole number nor null').nullable();

export const updateToken = (deps: Pick<TokenDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: `${dendritePath}/:token`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Changes the uses or the expiry of a registration token; what is not named stays',
    params: tokenParams,
    body: z.object({ uses_allowed: number.optional(), expiry_time: number.optional() }).catchall(number),
    bodyStyle: 'go',
    brokenBody: 'M_BAD_JSON',
    answer: tokenAnswer,
    before: async ({ token }) => requireTokenForm(token),
    handle: async ({ params: { token }, body }) => {
      const usesAllowed = checkUses(body.uses_allowed, badJson);
      const input = { token, usesAllowed, expiryTime: body.expiry_time };
      try {
        return toAnswer(await deps.bus.call(userapi.updateRegistrationToken, input));
      } catch (error) {
        throw isMatrixError(error) && error.status === 400 ? badJson(error.message) : error;
      }
    },
  });
