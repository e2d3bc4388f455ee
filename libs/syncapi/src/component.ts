import { type Bus, handle } from '@seneschal/bus';
import {
  type RoomserverForSliding,
  type RoomserverForSync,
  syncapi,
  type UserapiForSync,
} from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { receiveTyping } from './commands/receive-typing.ts';
import { createFilter } from './commands/create-filter.ts';
import { roomserverConsumer } from './consumers/roomserver.ts';
import { userapiConsumer } from './consumers/userapi.ts';
import { Housekeeping } from './housekeeping.ts';
import { syncapiMigrations } from './storage/migrations/index.ts';
import type { SyncapiTables } from './storage/tables.ts';
import { Typing } from './typing/typing.ts';

export interface SyncapiDeps {
  bus: Bus;
  database: Database;
  logger: Pick<Logger, 'warn'>;
  roomserver: Pick<RoomserverForSync & RoomserverForSliding, 'joinedRooms' | 'roomTraits'>;
  userapi: Pick<UserapiForSync, 'deviceIds'>;
}

/** Starts the sync API: brings its tables up to date, serves its commands, wakes those who wait for news. */
export async function startSyncapi(deps: SyncapiDeps): Promise<Stoppable> {
  const { bus, database, logger, roomserver, userapi } = deps;
  await migrate(database, 'syncapi', syncapiMigrations);
  const db = database.tables<SyncapiTables>();
  const lifecycle = new Lifecycle();
  const typing = lifecycle.add(new Typing({ bus, logger }));
  lifecycle.add(
    await bus.serve('syncapi', [
      handle(syncapi.createFilter, (input) => createFilter({ db }, input)),
      handle(syncapi.receiveTyping, (input) => receiveTyping({ typing }, input)),
    ]),
  );
  lifecycle.add(await bus.follow(roomserverConsumer({ bus, db })));
  lifecycle.add(await bus.follow(userapiConsumer({ bus, db, roomserver, userapi })));
  lifecycle.add(new Housekeeping({ db, logger, roomserver, userapi }));
  return lifecycle;
}
