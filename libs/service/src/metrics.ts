import { z } from 'zod';

import { endpoint, type Endpoint, Reply } from '@seneschal/http';
import type { Metrics } from '@seneschal/observability';

import { healthEndpoints } from './health.ts';
import type { Platform } from './platform.ts';
import { serve } from './serve.ts';

const contentType = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' };

/** The figures of this process, for Prometheus. */
export function metricsEndpoint(
  metrics: Metrics,
  { path, access }: { path: string; access: 'admin' | 'public' },
): Endpoint {
  return endpoint({
    method: 'GET',
    path,
    access,
    rateLimit: access === 'admin' ? 'admin' : 'none',
    scope: 'read',
    // It tells nothing of anybody, and is read every few seconds.
    audit: false,
    summary: 'The figures of this process in the text format of Prometheus',
    answer: z.object({}),
    produces: 'text/plain',
    handle: async () => new Reply(200, await metrics.text(), contentType),
  });
}

/** Serves `/metrics` and the health endpoints to whoever reaches `metrics_listen`, if it is set. */
export async function serveMetrics(platform: Platform): Promise<string | undefined> {
  const { metrics, config } = platform;
  if (config.metrics_listen === null) return undefined;
  const listener = await serve(platform, {
    endpoints: [
      metricsEndpoint(metrics, { path: '/metrics', access: 'public' }),
      ...healthEndpoints(platform),
    ],
    userapi: { requesterByToken: () => Promise.resolve(undefined) },
    connections: { seen: () => undefined },
    at: config.metrics_listen,
  });
  return listener.address;
}
