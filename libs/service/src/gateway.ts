import type { Config } from '@seneschal/config';
import type { FederationForGateways, UserapiForGateways } from '@seneschal/contracts';
import { ConnectionRecorder, type Endpoint, type Tls } from '@seneschal/http';
import type { Stoppable } from '@seneschal/observability';

import { healthEndpoints } from './health.ts';
import { serveMetrics } from './metrics.ts';
import { type Platform, startOn } from './platform.ts';
import { serve } from './serve.ts';

/** What a gateway brings: its endpoints and the read that knows their callers. */
export interface Gateway {
  readonly endpoints: readonly Endpoint[];
  readonly userapi: UserapiForGateways;
  /** Knows the servers that call endpoints for servers. */
  readonly servers?: FederationForGateways;
  /** Whether the listener that serves these describes them, as OpenAPI and as a page. */
  readonly described?: boolean;
  /** Answers the requests that wait for something; stopped before the listener, which waits for them. */
  readonly waiting?: Stoppable;
}

/** Serves one gateway, with the health endpoints, as a process of its own. */
export async function startGateway(
  config: Config,
  name: string,
  at: { host: string; port: number },
  open: (platform: Platform) => Promise<Gateway>,
  tls?: Tls,
): Promise<Stoppable & { address: string }> {
  return startOn(config, { name }, async (platform) => {
    const { endpoints, userapi, servers, described = false, waiting } = await open(platform);
    const connections = platform.lifecycle.add(new ConnectionRecorder(platform.bus, platform.logger));
    const { address } = await serve(platform, {
      endpoints: [...endpoints, ...healthEndpoints(platform)],
      userapi,
      servers,
      described,
      connections,
      at,
      tls,
    });
    await serveMetrics(platform);
    if (waiting !== undefined) platform.lifecycle.add(waiting);
    return { address, stop: () => platform.stop() };
  });
}
