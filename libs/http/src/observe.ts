import { randomBytes } from 'node:crypto';

import type { RequestHandler, Response } from 'express';

import { type Logger, type Metrics, withTrace } from '@seneschal/observability';

import type { Endpoint } from './endpoint.ts';

/** A W3C `traceparent`: version, trace ID, parent, flags. */
const traceParent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Gives each request a trace ID, its own or that of its `traceparent`: it is in every line that is logged for
 * the request, goes with the commands that it calls, and is answered as `X-Request-Id`. Counts and times every
 * request by its route as declared.
 */
export function observe({ logger, metrics }: { logger: Logger; metrics: Metrics }): RequestHandler {
  return (request, response, next) => {
    const traceId =
      traceParent.exec(request.get('traceparent') ?? '')?.[1] ?? randomBytes(16).toString('hex');
    const started = performance.now();
    response.set('X-Request-Id', traceId);
    response.once('close', () => {
      const endpoint = endpointOf(response);
      const route = endpoint?.paths[0] ?? 'none';
      // A client that went away before the answer has no status of ours.
      const status = response.writableFinished ? response.statusCode : 499;
      const milliseconds = performance.now() - started;
      metrics.request(knownMethod(request.method), route, status, milliseconds / 1000);
      const line = { method: request.method, route, status, ms: Math.round(milliseconds) };
      const level = endpoint?.access === 'admin' ? 'info' : 'debug';
      withTrace(traceId, () => logger[level](line, 'request'));
    });
    withTrace(traceId, next);
  };
}

/** Remembers which endpoint answers. */
export function noteEndpoint(response: Response, endpoint: Endpoint): void {
  response.locals['endpoint'] = endpoint;
}

function endpointOf(response: Response): Endpoint | undefined {
  return response.locals['endpoint'] as Endpoint | undefined;
}

/** Anybody may send any method: each of them as a label of its own would fill the memory. */
function knownMethod(method: string): string {
  return ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'].includes(method) ? method : 'other';
}
