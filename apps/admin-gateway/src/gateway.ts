import { auditReads } from '@seneschal/audit';
import { migrate } from '@seneschal/database';
import { federationForAdmin, federationMigrations } from '@seneschal/federation';
import type { Endpoint } from '@seneschal/http';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import { searchMigrations, searchReads } from '@seneschal/search';
import type { Gateway, Platform } from '@seneschal/service';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { type AdminDeps, adminEndpoints } from './endpoints/index.ts';
import { type FederationDeps, federationEndpoints } from './endpoints/federation/index.ts';
import { type OperationsDeps, operationsEndpoints } from './endpoints/operations/index.ts';
import { type SearchEndpointDeps, searchEndpoints } from './endpoints/search/index.ts';
import { webhookEndpoints, type WebhooksDeps } from './endpoints/webhooks/index.ts';
import { checksOf } from './self-check/index.ts';

/** Everything that the admin gateway serves. */
export function adminGatewayEndpoints(
  deps: AdminDeps & OperationsDeps & SearchEndpointDeps & WebhooksDeps & FederationDeps,
): Endpoint[] {
  return [
    ...adminEndpoints(deps),
    ...searchEndpoints(deps),
    ...operationsEndpoints(deps),
    ...webhookEndpoints(deps),
    ...federationEndpoints(deps),
  ];
}

/** The admin API. Brings the tables that it reads up to date, as no worker may have run yet. */
export async function adminGateway(platform: Platform): Promise<Gateway> {
  const { bus, config, database, jobs, logger, metrics, webhooks } = platform;
  await migrate(database, 'userapi', userapiMigrations);
  await migrate(database, 'roomserver', roomserverMigrations);
  await migrate(database, 'search', searchMigrations);
  await migrate(database, 'federation', federationMigrations);
  const userapi = userapiReads(database, config);
  const roomserver = roomserverReads(database, logger, userapi);
  const search = searchReads({ database, config, logger, roomserver });
  const audit = auditReads(database);
  const endpoints = adminGatewayEndpoints({
    audit,
    bus,
    checks: checksOf({ config, database, bus, search, roomserver }),
    config,
    federation: federationForAdmin(database),
    jobs,
    metrics,
    roomserver,
    search,
    userapi,
    webhooks,
  });
  return { endpoints, userapi, described: true, waiting: { stop: () => jobs.stopWaiting() } };
}
