import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { hashToken } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { fullUserId, userIdentifier } from './identifier.ts';
import { optional, text } from './schemas.ts';

/** How long a client has to come back with its proof, in seconds. */
export const sessionSeconds = 900;

export const uiaAuth = optional(
  z.object({
    type: optional(text()),
    session: optional(text()),
    password: optional(z.string()),
    token: optional(text()),
    ...userIdentifier,
  }),
);
type UiaAuth = NonNullable<z.infer<typeof uiaAuth>>;

export interface UiaDeps {
  bus: Pick<AccountDeps['bus'], 'call' | 'redis' | 'prefix'>;
  userapi: Pick<AccountDeps['userapi'], 'verifyPassword'>;
  config: Pick<AccountDeps['config'], 'server_name'>;
}

export interface UiaRequest {
  auth: UiaAuth | undefined;
  /** What the caller has to complete, all of it. */
  stages: readonly Stage[];
  /** What is asked for and on what, without secrets: a session is good for this and nothing else. */
  operation: readonly string[];
  /** Whose password it is; for m.login.password. */
  userId?: string;
}

/** Why a stage is not completed, for the client to show. */
export interface Refusal {
  errcode: 'M_FORBIDDEN' | 'M_UNAUTHORIZED';
  error: string;
}

type Proof = (
  deps: UiaDeps,
  request: UiaRequest,
  auth: UiaAuth,
  session: string,
) => Promise<Refusal | undefined>;

const dummy: Proof = async () => undefined;

const password: Proof = async (deps, request, auth) => {
  const userId = fullUserId(auth, deps.config.server_name);
  const verified = await deps.userapi.verifyPassword(userId, auth.password ?? '');
  if (verified !== undefined && verified.userId === request.userId) return undefined;
  return { errcode: 'M_FORBIDDEN', error: 'The username or password is incorrect.' };
};

/** Completes the stage by holding a use of the token for as long as the session lasts. */
const registrationToken: Proof = async (deps, _request, auth, session) => {
  const { held } = await deps.bus.call(userapi.holdRegistrationUse, {
    session: hashToken(session),
    token: auth.token ?? '',
    expiresTs: Date.now() + sessionSeconds * 1000,
  });
  if (held) return undefined;
  return { errcode: 'M_UNAUTHORIZED', error: 'The registration token is not valid, or has been used up.' };
};

/** The stages that there are (client-server API, "Authentication types"), and what completes each of them. */
export const proofs = {
  'm.login.dummy': dummy,
  'm.login.password': password,
  'm.login.registration_token': registrationToken,
} satisfies Record<string, Proof>;

export type Stage = keyof typeof proofs;
