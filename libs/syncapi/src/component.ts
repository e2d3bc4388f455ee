import { type Bus, handle } from '@seneschal/bus';
import { type RoomserverForSync, syncapi } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { receiveTyping } from './commands/receive-typing.ts';
import { createFilter } from './commands/create-filter.ts';
import { roomserverConsumer } from './consumers/roomserver.ts';
import { userapiConsumer } from './consumers/userapi.ts';
import { syncapiMigrations } from './storage/migrations/index.ts';
import type { SyncapiTables } from './storage/tables.ts';
import { Typing } from './typing/typing.ts';

export interface SyncapiDeps {
  bus: Bus;
  database: Database;
  logger: Pick<Logger, 'warn'>;
  roomserver: Pick<RoomserverForSync, 'joinedRooms'>;
}

/** Starts the sync API: brings its tables up to date, serves its commands, wakes those who wait for news. */
export async function startSyncapi({ bus, database, logger, roomserver }: SyncapiDeps): Promise<Stoppable> {
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
  lifecycle.add(await bus.follow(roomserverConsumer(bus)));
  lifecycle.add(await bus.follow(userapiConsumer({ bus, roomserver })));
  return lifecycle;
}
