import { openAuditLog } from '@seneschal/audit';
import type { AuditTrail, FederationForGateways, UserapiForGateways } from '@seneschal/contracts';
import {
  type ConnectionRecorder,
  createHttpApp,
  type Endpoint,
  listen,
  type Listener,
  type Tls,
  withDescription,
} from '@seneschal/http';

import type { Platform } from './platform.ts';
import { StartError } from './start-error.ts';

export interface ServeOptions {
  endpoints: readonly Endpoint[];
  userapi: UserapiForGateways;
  /** Needed where endpoints are for servers. */
  servers?: FederationForGateways | undefined;
  connections: Pick<ConnectionRecorder, 'seen'> & Partial<Pick<ConnectionRecorder, 'used'>>;
  at: { host: string; port: number };
  /** Serves by HTTPS. */
  tls?: Tls | undefined;
  /** Whether the listener also describes everything that it serves, as OpenAPI and as a page. */
  described?: boolean;
  /** Checks every answer against its schema; for the tests. */
  checkAnswers?: boolean;
}

/** Serves endpoints until the platform stops. */
export async function serve(platform: Platform, options: ServeOptions): Promise<Listener> {
  const { config, logger, metrics, tracer, lifecycle } = platform;
  const audit = await auditFor(platform, options.endpoints);
  const app = createHttpApp({
    endpoints: options.described === true ? withDescription(options.endpoints) : options.endpoints,
    userapi: options.userapi,
    servers: options.servers,
    connections: options.connections,
    logger,
    metrics,
    tracer,
    audit,
    rateLimits: config.rate_limits,
    serverRequests: config.federation_rate_limit,
    maxBodyBytes: config.max_body_bytes,
    trustedProxies: config.trusted_proxies,
    administrators: { networks: config.admin_allowed_networks, origins: config.admin_allowed_origins },
    checkAnswers: options.checkAnswers ?? false,
  });
  const listener = lifecycle.add(
    await listen(app, options.at, config.shutdown_timeout, options.tls).catch((error: unknown) => {
      throw new StartError(error instanceof Error ? error.message : 'The address cannot be used.', {
        cause: error,
      });
    }),
  );
  logger.info({ address: listener.address }, 'listening');
  return listener;
}

/** The audit log, where there is anything that goes into it. */
async function auditFor(
  { database, logger, lifecycle }: Platform,
  endpoints: readonly Endpoint[],
): Promise<AuditTrail | undefined> {
  if (endpoints.every(({ audit }) => audit === false)) return undefined;
  return lifecycle.add(await openAuditLog(database, logger));
}
