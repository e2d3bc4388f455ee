import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, isMatrixError } from '@seneschal/matrix';

import { limit } from '../../paging.ts';
import {
  checkUses,
  newTokenBody,
  readNewToken,
  requireTokenForm,
  synapsePath,
  toAnswer,
  tokenAnswer,
  type TokenDeps,
  tokenParams,
  tokensAnswer,
} from './shapes.ts';

export const createToken = (deps: Pick<TokenDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: `${synapsePath}/new`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Makes a registration token',
    body: newTokenBody,
    answer: tokenAnswer,
    handle: async ({ body, requester }) => {
      if (body.token === '') throw invalidParam('token: is empty.');
      if (body.length === 0) throw invalidParam('length: is from 1 to 64.');
      const input = { ...readNewToken(body, invalidParam), createdBy: requester.userId };
      try {
        return toAnswer(await deps.bus.call(userapi.createRegistrationToken, input));
      } catch (error) {
        // Synapse's clients know a token that exists as 400.
        throw isMatrixError(error) && error.status === 409 ? invalidParam(error.message) : error;
      }
    },
  });

export const listTokens = (deps: Pick<TokenDeps, 'userapi'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: synapsePath,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The registration tokens, all of them unless a limit is given',
    query: z.object({
      valid: z.enum(['true', 'false'], 'is true or false').optional(),
      from: z
        .string()
        .regex(/^[\w.~-]{0,64}$/, 'is not a token')
        .optional(),
      limit: limit.optional(),
    }),
    answer: tokensAnswer,
    handle: async ({ query: { valid, from, limit: most } }) => {
      const { tokens, next } = await deps.userapi.registrationTokens({
        ...(valid === undefined ? {} : { valid: valid === 'true' }),
        ...(from === undefined ? {} : { from }),
        ...(most === undefined ? {} : { limit: most }),
      });
      return {
        registration_tokens: tokens.map(toAnswer),
        ...(next === undefined ? {} : { next_token: next }),
      };
    },
  });

const number = z.int('is neither a whole number nor null').nullish();

export const updateToken = (deps: Pick<TokenDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: `${synapsePath}/:token`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'users',
    summary: 'Changes the uses or the expiry of a registration token; what is not named stays',
    params: tokenParams,
    // Admin tools send the whole token back: what cannot be changed is not looked at.
    body: z.object({ uses_allowed: number, expiry_time: number }),
    answer: tokenAnswer,
    before: async ({ token }) => requireTokenForm(token),
    handle: async ({ params: { token }, body }) => {
      const usesAllowed = checkUses(body.uses_allowed, invalidParam);
      const input = { token, usesAllowed, expiryTime: body.expiry_time };
      return toAnswer(await deps.bus.call(userapi.updateRegistrationToken, input));
    },
  });
