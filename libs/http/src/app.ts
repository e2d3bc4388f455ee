import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';

import type { AuditTrail, FederationForGateways, UserapiForGateways } from '@seneschal/contracts';
import { databaseAway } from '@seneschal/database';
import { isMatrixError, MatrixError, tooLarge } from '@seneschal/matrix';
import type { Logger, Metrics, Tracer } from '@seneschal/observability';

import { type AdminAccess, AdminGate } from './admin-gate.ts';
import type { ConnectionRecorder } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { observe } from './observe.ts';
import { answer } from './pipeline.ts';
import { RateLimits } from './rate-limits.ts';
import { Routes } from './routes.ts';

export interface HttpOptions {
  endpoints: readonly Endpoint[];
  userapi: UserapiForGateways;
  /** Knows the servers that call endpoints for servers. */
  servers?: FederationForGateways | undefined;
  /** Told of every authenticated request. */
  connections: Pick<ConnectionRecorder, 'seen'> & Partial<Pick<ConnectionRecorder, 'used' | 'renewed'>>;
  logger: Logger;
  metrics: Metrics;
  /** Traces every request; nothing is traced without it. */
  tracer?: Tracer | undefined;
  /** Where calls for administrators are recorded. */
  audit: AuditTrail | undefined;
  rateLimits: boolean;
  /** Requests of one other server in a second. */
  serverRequests?: number;
  maxBodyBytes: number;
  /** Whose X-Forwarded-For is believed; see Express's `trust proxy`. */
  trustedProxies: string | null;
  /** From where the admin API may be used. */
  administrators: AdminAccess;
  /** Checks every answer against its schema; for the tests. */
  checkAnswers?: boolean;
}

/** Headers of every answer: the API is for browsers of any origin, and no answer is to be cached or sniffed. */
const commonHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers': [
    'Origin, X-Requested-With, Content-Type, Accept, Authorization',
    'Prefer, Idempotency-Key, Last-Event-ID',
  ].join(', '),
  'Access-Control-Expose-Headers': 'Seneschal-Job-Id, Location, Preference-Applied, Retry-After',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** An Express application that serves the declared endpoints and nothing else. */
export function createHttpApp(options: HttpOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (options.trustedProxies !== null) app.set('trust proxy', options.trustedProxies.split(/\s*,\s*/));
  const routes = new Routes(options.endpoints);
  const rateLimits = new RateLimits(options.rateLimits, options.serverRequests);
  const gate = new AdminGate(options.administrators);
  app.use(observe(options));
  app.use(async (request: Request, response: Response) => {
    response.set(commonHeaders);
    await answer(request, response, { ...options, routes, rateLimits, gate });
  });
  app.use(renderError(options.logger));
  return app;
}

/** The one place where errors become answers. What is not a MatrixError says nothing of its cause. */
function renderError(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const known = asMatrixError(error);
    if (known === undefined)
      logger.error({ error, method: request.method, path: request.path }, 'request failed');
    const rendered =
      known ?? databaseAway(error) ?? new MatrixError(500, 'M_UNKNOWN', 'Internal server error.');
    // What is left of the body is not read: the connection cannot be used again.
    if (!request.readableEnded && request.method !== 'GET') response.set('Connection', 'close');
    const retryAfter = rendered.fields['retry_after_ms'];
    if (typeof retryAfter === 'number') response.set('Retry-After', String(Math.ceil(retryAfter / 1000)));
    const jobId = rendered.fields['job_id'];
    if (typeof jobId === 'string') response.set('Seneschal-Job-Id', jobId);
    response.status(rendered.status).json(rendered.toBody());
  };
}

function asMatrixError(error: unknown): MatrixError | undefined {
  if (isMatrixError(error)) return error;
  if (error instanceof URIError) {
    return new MatrixError(400, 'M_INVALID_PARAM', 'The path is not properly percent-encoded.');
  }
  return error instanceof RangeError ? tooLarge('The request is too large.') : undefined;
}
