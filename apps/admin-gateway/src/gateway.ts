import { auditReads } from '@seneschal/audit';
import { migrate } from '@seneschal/database';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import type { Gateway, Platform } from '@seneschal/service';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { adminEndpoints } from './endpoints/index.ts';
import { operationsEndpoints } from './endpoints/operations/index.ts';

/** The admin API. Brings the tables that it reads up to date, as no worker may have run yet. */
export async function adminGateway({ bus, jobs, config, database, logger }: Platform): Promise<Gateway> {
  await migrate(database, 'userapi', userapiMigrations);
  await migrate(database, 'roomserver', roomserverMigrations);
  const userapi = userapiReads(database, config);
  const roomserver = roomserverReads(database, logger);
  const endpoints = [
    ...adminEndpoints({ bus, jobs, config, userapi, roomserver }),
    ...operationsEndpoints({ audit: auditReads(database) }),
  ];
  return { endpoints, userapi, described: true, waiting: { stop: () => jobs.stopWaiting() } };
}
