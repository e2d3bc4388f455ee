import type { RequestHandler, Response } from 'express';

import {
  continueTrace,
  type Logger,
  type Metrics,
  newTraceId,
  parseTraceParent,
  type Span,
  type Tracer,
} from '@seneschal/observability';

import type { Endpoint } from './endpoint.ts';

/**
 * Gives each request a trace ID, its own or that of its `traceparent`: it is in every line that is logged for
 * the request, goes with the commands that it calls, and is answered as `X-Request-Id`. Counts and times every
 * request by its route as declared.
 */
export function observe({
  logger,
  metrics,
  tracer,
}: {
  logger: Logger;
  metrics: Metrics;
  tracer?: Tracer | undefined;
}): RequestHandler {
  return (request, response, next) => {
    const caller = request.get('traceparent');
    const span = tracer?.start('HTTP', { kind: 'server', caller });
    const traceId = span?.traceId ?? parseTraceParent(caller)?.traceId ?? newTraceId();
    const started = performance.now();
    response.set('X-Request-Id', traceId);
    response.once('close', () => {
      const endpoint = endpointOf(response);
      const route = endpoint?.paths[0] ?? 'none';
      // A client that went away before the answer has no status of ours.
      const status = response.writableFinished ? response.statusCode : 499;
      const milliseconds = performance.now() - started;
      const method = knownMethod(request.method);
      metrics.request(method, route, status, milliseconds / 1000);
      const line = { method: request.method, route, status, ms: Math.round(milliseconds) };
      const level = endpoint?.access === 'admin' ? 'info' : 'debug';
      continueTrace(span, traceId, () => logger[level](line, 'request'));
      endSpan(span, { method, route, status });
    });
    continueTrace(span, traceId, next);
  };
}

/** The route as declared: the address itself names users and rooms, and may have a token in its query. */
function endSpan(
  span: Span | undefined,
  { method, route, status }: { method: string; route: string; status: number },
): void {
  span?.describe(
    { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status },
    `${method} ${route}`,
  );
  span?.end(status >= 400 ? { status, code: status } : undefined);
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
