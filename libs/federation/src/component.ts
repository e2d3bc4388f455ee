import { type Bus, handle } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { federation, type UserapiForFederation } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import type { Jobs } from '@seneschal/jobs';
import type { Signer } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { refreshDevices } from './commands/refresh-devices.ts';
import { refreshDevicesSteps, refreshManyDevicesSteps } from './jobs/refresh-devices.ts';
import { StaleDevices } from './stale-devices.ts';
import { federationMigrations } from './storage/migrations/index.ts';
import { FederationClient } from './transport/federation-client.ts';

export interface FederationDeps {
  bus: Bus;
  jobs: Pick<Jobs, 'serve'>;
  database: Database;
  config: Pick<Config, 'server_name' | 'federation_verify_certificates' | 'federation_allowed_networks'>;
  signer: Signer;
  logger: Logger;
  /** Knows of which users anything is held. */
  userapi: Pick<UserapiForFederation, 'remoteUsersOf'>;
}

/** Starts the federation component: requests to other servers on behalf of this one. */
export async function startFederation(given: FederationDeps): Promise<Stoppable> {
  const { bus, jobs, database, config, signer, logger, userapi } = given;
  await migrate(database, 'federation', federationMigrations);
  const lifecycle = new Lifecycle();
  const client = lifecycle.add(new FederationClient(config, signer));
  const deps = { bus, client, serverName: config.server_name };
  const refresh = (userId: string): ReturnType<typeof refreshDevices> => refreshDevices(deps, { userId });
  lifecycle.add(
    await bus.serve('federation', [handle(federation.refreshDevices, ({ userId }) => refresh(userId))]),
  );
  lifecycle.add(
    await jobs.serve('federation', [
      refreshDevicesSteps({ refresh }),
      refreshManyDevicesSteps({ refresh, userapi }),
    ]),
  );
  lifecycle.add(new StaleDevices({ bus, refresh, logger }));
  return lifecycle;
}
