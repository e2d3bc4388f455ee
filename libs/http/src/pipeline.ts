import type { Request, Response } from 'express';
import type { z } from 'zod';

import { accountTypes, type Requester, type UserapiForGateways } from '@seneschal/contracts';
import {
  badJson,
  forbidden,
  invalidParam,
  missingParam,
  unknownToken,
  unrecognized,
  userLocked,
  userSuspended,
} from '@seneschal/matrix';

import { addressOf } from './address.ts';
import type { AdminGate } from './admin-gate.ts';
import type { HttpOptions } from './app.ts';
import { RecordedCall, type RecordedRequest } from './audit/recorded-call.ts';
import { parseBody, readBody } from './body.ts';
import { type Endpoint, Reply } from './endpoint.ts';
import { checkMachine, isAdminToken } from './machine.ts';
import { noteEndpoint } from './observe.ts';
import type { RateLimits } from './rate-limits.ts';
import { checkReply, sendReply } from './reply.ts';
import type { Routes } from './routes.ts';
import { authenticateServer, type ServerCaller } from './server-caller.ts';
import { accessToken, hashToken } from './tokens.ts';

interface Context extends Omit<HttpOptions, 'rateLimits'> {
  routes: Routes;
  rateLimits: RateLimits;
  gate: AdminGate;
}

interface Caller {
  requester: Requester | undefined;
  tokenHash: string;
  /** Set on endpoints for servers. */
  server?: ServerCaller;
}

/**
 * Answers one request. The order of the checks is part of the contract: route (404), method (405), of the
 * admin API address and origin (403), token and lock (401), administrator and suspension (403), rate limit (429), path,
 * query, body (400), then the handler.
 */
export async function answer(request: Request, response: Response, context: Context): Promise<void> {
  const match = context.routes.match(request.method, request.path);
  if (match.kind === 'found') noteEndpoint(response, match.endpoint);
  if (match.kind === 'path') throw unrecognized();
  const isAdminApi = match.kind === 'found' ? match.endpoint.isAdminApi : match.isAdminApi;
  if (isAdminApi) context.gate.setHeaders(request, response);
  if (request.method === 'OPTIONS') {
    response.status(200).end();
    return;
  }
  if (match.kind === 'method') throw unrecognized(405);
  const { endpoint, params } = match;
  if (isAdminApi) context.gate.check(request);
  const query = new URL(request.url, 'http://localhost').searchParams;
  const caller = await authorise(endpoint, request, query, context);
  const recorded = record(context, { endpoint, request, query, ...caller });
  try {
    const input = await check({ endpoint, request, escaped: params, query, server: caller.server }, context);
    await recorded?.begin(input);
    const result = await endpoint.handle({
      ...input,
      requester: caller.requester as Requester,
      tokenHash: caller.tokenHash,
      origin: caller.server?.origin ?? '',
      ip: addressOf(request),
      userAgent: request.get('user-agent') ?? '',
      header: (name) => request.get(name),
      signal: whenGone(response),
    });
    const reply = result instanceof Reply ? result : new Reply(200, result);
    if (context.checkAnswers === true) checkReply(endpoint, reply);
    await recorded?.answered(reply);
    await sendReply(response, endpoint, reply);
  } catch (error) {
    await recorded?.failed(error);
    throw error;
  }
}

/** Undefined for what is not kept in the audit log. */
function record({ audit, logger, metrics }: Context, given: RecordedRequest): RecordedCall | undefined {
  return given.endpoint.audit === false || audit === undefined
    ? undefined
    : new RecordedCall(audit, { logger, metrics }, given);
}

async function authorise(
  endpoint: Endpoint,
  request: Request,
  query: URLSearchParams,
  context: Context,
): Promise<Caller> {
  const ip = addressOf(request);
  if (endpoint.access === 'public') {
    await context.rateLimits.check(endpoint.rateLimit, ip);
    return { requester: undefined, tokenHash: '' };
  }
  if (endpoint.access === 'server') {
    const server = await authenticateServer(context.servers, endpoint, request, bodyBytesOfServers(context));
    // Only now is it known who asks: nobody uses up what another server may ask.
    await context.rateLimits.check('server', server.origin);
    return { requester: undefined, tokenHash: '', server };
  }
  const token = accessToken(request.get('authorization'), query);
  const tokenHash = hashToken(token);
  if (isAdminToken(token)) return authoriseMachine(endpoint, tokenHash, ip, context);
  const known = await requesterOf(context.userapi, tokenHash, { isForLocked: endpoint.forLocked });
  if (known.token === 'new') await context.connections.renewed?.(tokenHash);
  const requester = context.gate.seen(known, request);
  const isAdmin = requester.accountType === accountTypes.admin;
  if (endpoint.access === 'admin' && !isAdmin) throw forbidden('This API is for administrators only.');
  if (known.isSuspended === true && !endpoint.forSuspended) throw userSuspended();
  const limitClass = isAdmin && endpoint.rateLimit !== 'none' ? 'admin' : endpoint.rateLimit;
  await context.rateLimits.check(limitClass, requester.userId);
  context.connections.seen({
    userId: requester.userId,
    deviceId: requester.deviceId,
    ip,
    userAgent: request.get('user-agent') ?? '',
  });
  return { requester, tokenHash };
}

/** Who a token belongs to. Throws M_UNKNOWN_TOKEN, with `soft_logout` when it has expired, or M_USER_LOCKED. */
export async function requesterOf(
  userapi: Pick<UserapiForGateways, 'requesterByToken'>,
  tokenHash: string,
  { isForLocked }: { isForLocked: boolean },
): Promise<Requester> {
  const known = await userapi.requesterByToken(tokenHash);
  if (known === undefined) throw unknownToken('The access token is not known. Log in again.');
  if (known.token === 'expired') throw unknownToken('The access token has expired.', true);
  if (known.isLocked === true && !isForLocked) throw userLocked();
  return known;
}

/** A transaction of other servers holds up to 50 events of 64 KiB, and other news beside them. */
const transactionBytes = 6 * 1024 * 1024;

function bodyBytesOfServers({ maxBodyBytes }: Context): number {
  return Math.max(maxBodyBytes, transactionBytes);
}

/** A machine is limited by its token, not together with the administrator that it acts for. */
async function authoriseMachine(
  endpoint: Endpoint,
  tokenHash: string,
  ip: string,
  { userapi, rateLimits, connections }: Context,
): Promise<Caller> {
  const requester = await userapi.requesterByAdminToken?.(tokenHash);
  const machine = requester?.adminToken;
  if (machine === undefined) throw unknownToken('The admin token is not known, has expired or was revoked.');
  checkMachine(machine, endpoint, ip);
  await rateLimits.check(endpoint.rateLimit, machine.id);
  connections.used?.(machine.id);
  return { requester, tokenHash };
}

interface Unchecked {
  endpoint: Endpoint;
  request: Request;
  escaped: Record<string, string>;
  query: URLSearchParams;
  server: ServerCaller | undefined;
}

async function check(
  { endpoint, request, escaped, query, server }: Unchecked,
  { maxBodyBytes }: Pick<Context, 'maxBodyBytes'>,
): Promise<{ params: unknown; query: unknown; body: unknown }> {
  const unescaped = Object.fromEntries(
    Object.entries(escaped).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
  const params = endpoint.params && parsed(endpoint.params, unescaped, 'param');
  const checkedQuery = endpoint.query && parsed(endpoint.query, queryObject(query), 'param');
  refuseNul(checkedQuery);
  await endpoint.before?.(params);
  if (endpoint.body === undefined) return { params, query: checkedQuery, body: undefined };
  const body = server?.body ?? parseBody(endpoint, await readBody(request, maxBodyBytes));
  return { params, query: checkedQuery, body: parsed(endpoint.body, body, 'body') };
}

/** PostgreSQL takes no text with a NUL, so what is looked for by such a text is nowhere. */
function refuseNul(query: unknown): void {
  for (const [name, value] of Object.entries(query ?? {}) as [string, unknown][]) {
    const texts = [value].flat().filter((one) => typeof one === 'string');
    if (texts.some((one) => one.includes('\0'))) throw invalidParam(`${name}: has a NUL character.`);
  }
}

/** A parameter that comes several times is an array, as in `?via=a&via=b`. */
function queryObject(query: URLSearchParams): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    result[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return result;
}

function parsed(schema: z.ZodType, value: unknown, where: 'param' | 'body'): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  const isMissing = issue?.code === 'invalid_type' && valueAt(value, issue.path) === undefined;
  const message = `${path === '' ? 'The body' : path}: ${issue?.message ?? 'not valid'}`;
  if (isMissing) throw missingParam(message);
  throw where === 'param' ? invalidParam(message) : badJson(message);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function whenGone(response: Response): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableEnded) controller.abort();
  });
  return controller.signal;
}
