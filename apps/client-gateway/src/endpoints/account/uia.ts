import { createHash, randomBytes } from 'node:crypto';

import { z } from 'zod';

import { Reply } from '@seneschal/http';
import { forbidden } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { fullUserId, userIdentifier } from './identifier.ts';
import { optional, text } from './schemas.ts';

/** How long a client has to come back with its proof, in seconds. */
const sessionSeconds = 900;

export const uiaAuth = optional(
  z.object({
    type: optional(text()),
    session: optional(text()),
    password: optional(z.string()),
    ...userIdentifier,
  }),
);

/** What an endpoint that takes user-interactive authentication answers besides its own answer. */
export const uiaAnswers = {
  401: z.looseObject({
    flows: z.array(z.object({ stages: z.array(z.string()) })),
    params: z.looseObject({}),
    completed: z.array(z.string()),
    session: z.string(),
  }),
};

type Auth = NonNullable<z.infer<typeof uiaAuth>>;

export interface UiaDeps {
  bus: Pick<AccountDeps['bus'], 'redis' | 'prefix'>;
  userapi: Pick<AccountDeps['userapi'], 'verifyPassword'>;
  config: Pick<AccountDeps['config'], 'server_name'>;
}

export interface UiaRequest {
  auth: Auth | undefined;
  stage: 'm.login.dummy' | 'm.login.password';
  /** What is asked for and on what, without secrets: a session is good for this and nothing else. */
  operation: readonly string[];
  /** Whose password it is; for m.login.password. */
  userId?: string;
}

/**
 * User-interactive authentication with one stage (client-server API, "User-Interactive Authentication API").
 * Undefined when the caller has proved what it must, else the 401 to answer. Sessions are in Redis, so any
 * gateway takes the second request; with one stage a client may also prove at once, without a session.
 * M_FORBIDDEN when the session belongs to another operation.
 */
export async function authenticate(deps: UiaDeps, request: UiaRequest): Promise<Reply | undefined> {
  const { auth, stage } = request;
  if (auth?.type === undefined) return challenge(deps, request);
  if (auth.session !== undefined) {
    const bound = await deps.bus.redis.get(keyOf(deps, auth.session));
    if (bound === null) return challenge(deps, request, 'The session is not known, or its time is up.');
    if (bound !== digestOf(request)) throw forbidden('The session was begun for another operation.');
  }
  if (auth.type !== stage) return challenge(deps, request, `This takes ${stage}.`);
  if (stage === 'm.login.password' && !(await passwordFits(deps, request, auth))) {
    return challenge(deps, request, 'The username or password is incorrect.');
  }
  if (auth.session !== undefined && (await deps.bus.redis.del(keyOf(deps, auth.session))) === 0) {
    return challenge(deps, request, 'The session has been used.');
  }
  return undefined;
}

async function passwordFits(deps: UiaDeps, request: UiaRequest, auth: Auth): Promise<boolean> {
  const userId = fullUserId(auth, deps.config.server_name);
  const verified = await deps.userapi.verifyPassword(userId, auth.password ?? '');
  return verified !== undefined && verified.userId === request.userId;
}

/** A 401 with a new session; one that failed stays good until its time is up. */
async function challenge(deps: UiaDeps, request: UiaRequest, error?: string): Promise<Reply> {
  const session = randomBytes(18).toString('base64url');
  await deps.bus.redis.set(keyOf(deps, session), digestOf(request), 'EX', sessionSeconds);
  return new Reply(401, {
    ...(error === undefined ? {} : { errcode: 'M_FORBIDDEN', error }),
    flows: [{ stages: [request.stage] }],
    params: {},
    completed: [],
    session,
  });
}

function keyOf(deps: UiaDeps, session: string): string {
  return `${deps.bus.prefix}:uia:${session}`;
}

function digestOf(request: UiaRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([request.stage, request.userId ?? '', ...request.operation]))
    .digest('base64url');
}
