import { type Bus, handle } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type RoomserverForSearch, search } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import type { Jobs } from '@seneschal/jobs';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { purgeRoom } from './commands/purge-room.ts';
import { purgeRoomData } from './commands/purge-room-data.ts';
import { idleConsumer, roomserverConsumer } from './consumers/roomserver.ts';
import { EngineUnavailable, type SearchEngine } from './engines/engine.ts';
import { type EngineConfig, openEngines } from './engines/open-engines.ts';
import { reindexRoomHandler } from './jobs/reindex-room.ts';
import { reindexHandler } from './jobs/reindex.ts';
import { reindexIfOutdated, retireAll, startReindex, sweep } from './jobs/sweep.ts';
import { searchMigrations } from './storage/migrations/index.ts';
import type { SearchTables } from './storage/tables.ts';

export interface SearchDeps {
  bus: Bus;
  jobs: Jobs;
  database: Database;
  config: EngineConfig & Pick<Config, 'search'>;
  logger: Logger;
  roomserver: RoomserverForSearch;
}

const sweepMs = 60_000;

/** Starts search: brings its tables up to date, serves its commands and jobs and follows the rooms. */
export async function startSearch(given: SearchDeps): Promise<Stoppable> {
  const { bus, database, config, jobs, logger, roomserver } = given;
  await migrate(database, 'search', searchMigrations);
  const engines = openEngines(database, config);
  const db = database.tables<SearchTables>();
  const deps = {
    db,
    engines,
    jobs,
    logger,
    roomserver,
    startReindex: (roomId?: string) => startReindex({ jobs }, roomId),
  };
  const lifecycle = new Lifecycle();
  lifecycle.add(
    await bus.serve('search', [
      handle(search.purgeRoom, (input) => purgeRoom(deps, input)),
      handle(search.purgeRoomDocuments, (input) => purgeRoomData(deps, input)),
    ]),
  );
  if (!config.search) {
    await retireAll(deps);
    lifecycle.add(await bus.follow(idleConsumer));
    return lifecycle;
  }
  await reportEngine(engines.preferred, logger);
  lifecycle.add(await bus.follow(roomserverConsumer(deps)));
  lifecycle.add(await jobs.serve('search', [reindexHandler(deps), reindexRoomHandler(deps)]));
  await reindexIfOutdated(deps);
  lifecycle.add(
    repeatedly(async () => {
      await sweep(deps).catch((error: unknown) =>
        logger.warn({ error }, 'old search indexes could not be dropped'),
      );
    }),
  );
  return lifecycle;
}

/** An engine that is away comes back, and catches up; one that refuses us stops the start. */
async function reportEngine(engine: SearchEngine, logger: Logger): Promise<void> {
  try {
    logger.info({ engine: await engine.describe() }, 'searching with');
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    logger.warn({ error: error.message }, 'the search engine is away; messages are indexed when it is back');
  }
}

function repeatedly(work: () => Promise<void>): Stoppable {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = work();
  }, sweepMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
