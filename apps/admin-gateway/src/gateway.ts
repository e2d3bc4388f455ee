import { auditReads } from '@seneschal/audit';
import { migrate } from '@seneschal/database';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import { searchMigrations, searchReads } from '@seneschal/search';
import type { Gateway, Platform } from '@seneschal/service';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { adminEndpoints } from './endpoints/index.ts';
import { operationsEndpoints } from './endpoints/operations/index.ts';
import { searchEndpoints } from './endpoints/search/index.ts';

/** The admin API. Brings the tables that it reads up to date, as no worker may have run yet. */
export async function adminGateway(platform: Platform): Promise<Gateway> {
  const { bus, config, database, jobs, logger, metrics } = platform;
  await migrate(database, 'userapi', userapiMigrations);
  await migrate(database, 'roomserver', roomserverMigrations);
  await migrate(database, 'search', searchMigrations);
  const userapi = userapiReads(database, config);
  const roomserver = roomserverReads(database, logger);
  const search = searchReads({ database, config, logger, roomserver });
  const endpoints = [
    ...adminEndpoints({ bus, jobs, config, userapi, roomserver }),
    ...searchEndpoints({ search, jobs }),
    ...operationsEndpoints({ audit: auditReads(database), bus, metrics, userapi }),
  ];
  return { endpoints, userapi, described: true, waiting: { stop: () => jobs.stopWaiting() } };
}
