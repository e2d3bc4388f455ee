import { adminGateway } from '@seneschal/admin-gateway';
import { clientGateway } from '@seneschal/client-gateway';
import type { Config } from '@seneschal/config';
import { federationGateway } from '@seneschal/federation-gateway';
import { ConnectionRecorder, type Endpoint } from '@seneschal/http';
import type { Logger, Stoppable } from '@seneschal/observability';
import {
  federationTls,
  type Gateway,
  healthEndpoints,
  type Platform,
  type PlatformOptions,
  serve,
  serveMetrics,
  type ServeOptions,
  startOn,
} from '@seneschal/service';
import { componentNames, startComponents } from '@seneschal/worker';

export interface HomeserverOptions {
  logger?: Logger;
  /** Checks every answer against its schema; for the tests. */
  checkAnswers?: boolean;
  /** How often logs are looked at without being woken, in ms. */
  pollMs?: number;
  /** How patient the runners of jobs are; for the tests. */
  jobTiming?: NonNullable<PlatformOptions['jobTiming']>;
}

export interface Homeserver extends Stoppable {
  /** Where the APIs are served, such as `http://127.0.0.1:8008`. */
  readonly address: string;
  /** Where the admin API is served when it has a listener of its own. */
  readonly adminAddress?: string;
  /** Where other servers reach this one when that is a listener of its own. */
  readonly federationAddress?: string;
  /** Where Prometheus reads, when that is configured. */
  readonly metricsAddress?: string;
  readonly platform: Platform;
  /** Reports the connections that were seen and applies what the logs hold by now, without waiting. */
  catchUp(): Promise<void>;
}

/** Starts every component and every gateway in this process. */
export async function startHomeserver(config: Config, options: HomeserverOptions = {}): Promise<Homeserver> {
  const { checkAnswers = false, ...platformOptions } = options;
  return startOn(config, { name: 'homeserver', ...platformOptions }, async (platform) => {
    await startComponents(platform, componentNames);
    const connections = platform.lifecycle.add(new ConnectionRecorder(platform.bus, platform.logger));
    const client = await clientGateway(platform);
    const listeners = await listenAll(platform, client, { connections, checkAnswers });
    const metricsAddress = await serveMetrics(platform);
    if (client.waiting !== undefined) platform.lifecycle.add(client.waiting);
    platform.lifecycle.add({ stop: () => platform.jobs.stopWaiting() });
    return {
      ...listeners,
      ...(metricsAddress === undefined ? {} : { metricsAddress }),
      platform,
      catchUp: async () => {
        await connections.flush();
        await platform.bus.catchUp();
      },
      stop: () => platform.stop(),
    };
  });
}

/** All APIs on `listen`; with `admin_listen` the admin API there and nowhere else, and so with `federation_listen`. */
async function listenAll(
  platform: Platform,
  client: Gateway,
  options: Pick<ServeOptions, 'connections' | 'checkAnswers'>,
): Promise<Pick<Homeserver, 'address' | 'adminAddress' | 'federationAddress'>> {
  const { listen, admin_listen: adminListen, federation_listen: federationListen } = platform.config;
  const federation = await federationGateway(platform);
  const admin = await adminGateway(platform);
  const health = healthEndpoints(platform);
  const common = { ...options, userapi: client.userapi, servers: federation.servers };
  const serveAt = (
    at: ServeOptions['at'],
    parts: (readonly Endpoint[])[],
    more: Partial<ServeOptions>,
  ): ReturnType<typeof serve> =>
    serve(platform, { ...common, ...more, endpoints: [...health, ...parts.flat()], at });
  const rest = [client.endpoints, ...(federationListen === null ? [federation.endpoints] : [])];
  const main = await serveAt(listen, adminListen === null ? [...rest, admin.endpoints] : rest, {
    described: adminListen === null,
  });
  const apart = adminListen && (await serveAt(adminListen, [admin.endpoints], { described: true }));
  const tls = await federationTls(platform.config);
  const servers = federationListen && (await serveAt(federationListen, [federation.endpoints], { tls }));
  return {
    address: main.address,
    ...(apart === null ? {} : { adminAddress: apart.address }),
    ...(servers === null ? {} : { federationAddress: servers.address }),
  };
}
