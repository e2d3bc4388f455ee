import { createHash, randomBytes } from 'node:crypto';

import { z } from 'zod';

import { Reply } from '@seneschal/http';
import { forbidden } from '@seneschal/matrix';

import { proofs, type Refusal, sessionSeconds, type UiaDeps, type UiaRequest } from './uia-stages.ts';

export { type Stage, uiaAuth, type UiaRequest } from './uia-stages.ts';

/** What an endpoint that takes user-interactive authentication answers besides its own answer. */
export const uiaAnswers = {
  401: z.looseObject({
    flows: z.array(z.object({ stages: z.array(z.string()) })),
    params: z.looseObject({}),
    completed: z.array(z.string()),
    session: z.string(),
  }),
};

interface Session {
  id: string;
  completed: readonly string[];
}

/**
 * User-interactive authentication with one flow (client-server API, "User-Interactive Authentication API").
 * Undefined when the caller has completed every stage, else the 401 to answer. Sessions are in Redis, so any
 * gateway takes the next request; with one stage a client may also prove at once, without a session.
 * M_FORBIDDEN when the session belongs to another operation.
 */
export async function authenticate(deps: UiaDeps, request: UiaRequest): Promise<Reply | undefined> {
  const { auth, stages } = request;
  const session = auth?.session === undefined ? newSession() : await find(deps, request, auth.session);
  if (session === undefined) return begin(deps, request, newSession(), lost);
  const save = session.id === auth?.session ? keep : begin;
  if (auth?.type === undefined) return save(deps, request, session);
  const stage = stages.find((one) => one === auth.type);
  if (stage === undefined) return save(deps, request, session, refusal(`This takes ${stages.join(', ')}.`));
  const refused = await proofs[stage](deps, request, auth, session.id);
  if (refused !== undefined) return save(deps, request, session, refused);
  const completed = [...new Set([...session.completed, stage])];
  if (completed.length < stages.length) return save(deps, request, { ...session, completed });
  const isUsed = save === keep && (await deps.bus.redis.del(keyOf(deps, session.id))) === 0;
  return isUsed ? begin(deps, request, newSession(), refusal('The session has been used.')) : undefined;
}

function refusal(error: string): Refusal {
  return { errcode: 'M_FORBIDDEN', error };
}

const lost = refusal('The session is not known, or its time is up.');

function newSession(): Session {
  return { id: randomBytes(18).toString('base64url'), completed: [] };
}

async function find(deps: UiaDeps, request: UiaRequest, id: string): Promise<Session | undefined> {
  const stored = await deps.bus.redis.get(keyOf(deps, id));
  if (stored === null) return undefined;
  const { operation, completed } = JSON.parse(stored) as { operation: string; completed: string[] };
  if (operation !== digestOf(request)) throw forbidden('The session was begun for another operation.');
  return { id, completed };
}

/** A 401 with a session that is new to the client. */
async function begin(
  deps: UiaDeps,
  request: UiaRequest,
  session: Session,
  refused?: Refusal,
): Promise<Reply> {
  await deps.bus.redis.set(keyOf(deps, session.id), valueOf(request, session), 'EX', sessionSeconds);
  return challenge(request, session, refused);
}

/** A 401 in a session that goes on: one stage less to do, or as it was after a proof that failed. */
async function keep(deps: UiaDeps, request: UiaRequest, session: Session, refused?: Refusal): Promise<Reply> {
  const key = keyOf(deps, session.id);
  const kept = await deps.bus.redis.set(key, valueOf(request, session), 'KEEPTTL', 'XX');
  return kept === null ? begin(deps, request, newSession(), lost) : challenge(request, session, refused);
}

function challenge(request: UiaRequest, session: Session, refused?: Refusal): Reply {
  return new Reply(401, {
    ...refused,
    flows: [{ stages: request.stages }],
    params: {},
    completed: session.completed,
    session: session.id,
  });
}

function keyOf(deps: UiaDeps, session: string): string {
  return `${deps.bus.prefix}:uia:${session}`;
}

function valueOf(request: UiaRequest, { completed }: Session): string {
  return JSON.stringify({ operation: digestOf(request), completed });
}

function digestOf(request: UiaRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([request.stages, request.userId ?? '', ...request.operation]))
    .digest('base64url');
}
