import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { RegistrationToken, RegistrationTokensForAdmin } from '@seneschal/contracts';
import { type MatrixError, notFound } from '@seneschal/matrix';

export interface TokenDeps {
  bus: CallBus;
  userapi: RegistrationTokensForAdmin;
  config: Pick<Config, 'registration_requires_token'>;
}

export const synapsePath = '/_synapse/admin/v1/registration_tokens';
export const dendritePath = '/_dendrite/admin/registrationTokens';

export const tokenAnswer = z.object({
  token: z.string(),
  uses_allowed: z.number().nullable(),
  pending: z.number(),
  completed: z.number(),
  expiry_time: z.number().nullable(),
});
type TokenAnswer = z.infer<typeof tokenAnswer>;

export const tokensAnswer = z.object({
  registration_tokens: z.array(tokenAnswer),
  next_token: z.string().optional(),
});

export function toAnswer(token: RegistrationToken): TokenAnswer {
  return {
    token: token.token,
    uses_allowed: token.usesAllowed,
    pending: token.pending,
    completed: token.completed,
    expiry_time: token.expiryTime,
  };
}

const wholeNumber = z.int('is not a whole number').nullish();

export const newTokenBody = z.object({
  token: z.string().nullish(),
  length: wholeNumber,
  uses_allowed: wholeNumber,
  expiry_time: wholeNumber,
});

/** Client-server API, "Token-authenticated registration". */
const tokenPattern = /^[A-Za-z0-9._~-]{1,64}$/;
const maximumLength = 64;
const defaultLength = 16;
const maximumUses = 2 ** 31 - 1;

/** Which error a wrong value is; Dendrite's clients know another than Synapse's. */
type Refuse = (message: string) => MatrixError;

/** The parameters of a path. A token that cannot be is one that there is not. */
export const tokenParams = z.object({ token: z.string() });

export function requireTokenForm(token: string): void {
  if (!tokenPattern.test(token)) throw notFound('There is no such registration token.');
}

/** What a new token is to be. */
export function readNewToken(
  body: z.infer<typeof newTokenBody>,
  refuse: Refuse,
): { token?: string; length: number; usesAllowed: number | null; expiryTime: number | null } {
  const { token, uses_allowed: usesAllowed = null, expiry_time: expiryTime = null } = body;
  const values = { usesAllowed: checkUses(usesAllowed, refuse) ?? null, expiryTime };
  if (expiryTime !== null && expiryTime < Date.now()) throw refuse('expiry_time: lies in the past.');
  if (token !== undefined && token !== null && token !== '') {
    if (!tokenPattern.test(token)) throw refuse('token: is 1 to 64 of A-Z, a-z, 0-9, ".", "_", "~" and "-".');
    return { token, length: defaultLength, ...values };
  }
  const length = body.length ?? 0;
  if (length < 0 || length > maximumLength) throw refuse('length: is from 1 to 64.');
  return { length: length === 0 ? defaultLength : length, ...values };
}

/** null stands for no limit, undefined for no change. */
export function checkUses(uses: number | null | undefined, refuse: Refuse): number | null | undefined {
  const isRefused = typeof uses === 'number' && (uses < 0 || uses > maximumUses);
  if (isRefused) throw refuse(`uses_allowed: is from 0 to ${maximumUses}, or null for no limit.`);
  return uses;
}
