import { migrate } from '@seneschal/database';
import { roomserverForFederation, roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import { searchMigrations, searchReads } from '@seneschal/search';
import type { Gateway, Platform } from '@seneschal/service';
import { syncapiMigrations, syncapiReads } from '@seneschal/syncapi';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { clientEndpoints } from './endpoints/index.ts';

/** /_matrix/client. Brings the tables that it reads up to date, as no worker may have run yet. */
export async function clientGateway(platform: Platform): Promise<Gateway> {
  const { bus, config, database, lifecycle, logger, metrics } = platform;
  await migrate(database, 'userapi', userapiMigrations);
  await migrate(database, 'roomserver', roomserverMigrations);
  await migrate(database, 'syncapi', syncapiMigrations);
  await migrate(database, 'search', searchMigrations);
  const userapi = userapiReads(database, config);
  const roomserver = roomserverReads(database, logger, userapi);
  const syncapi = lifecycle.add(syncapiReads({ bus, database, logger, metrics, roomserver, userapi }));
  const search = searchReads({ database, config, logger, roomserver });
  const serverName = config.server_name;
  const defaultRoomVersion = config.default_room_version;
  const endpoints = clientEndpoints({
    bus,
    config,
    userapi,
    roomserver,
    elsewhere: roomserverForFederation(database, logger, serverName),
    syncapi,
    search,
    serverName,
    defaultRoomVersion,
  });
  return { endpoints, userapi, waiting: syncapi };
}
