import { type Bus, handle } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type RoomserverForSearch, search } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { purgeRoom } from './commands/purge-room.ts';
import { idleConsumer, roomserverConsumer } from './consumers/roomserver.ts';
import { EngineUnavailable, type SearchEngine } from './engines/engine.ts';
import { type EngineConfig, openEngines } from './engines/open-engines.ts';
import { searchMigrations } from './storage/migrations/index.ts';
import type { SearchTables } from './storage/tables.ts';

export interface SearchDeps {
  bus: Bus;
  database: Database;
  config: EngineConfig & Pick<Config, 'search'>;
  logger: Logger;
  roomserver: RoomserverForSearch;
}

/** Starts search: brings its tables up to date, serves its commands and follows the rooms. */
export async function startSearch(given: SearchDeps): Promise<Stoppable> {
  const { bus, database, config, logger, roomserver } = given;
  await migrate(database, 'search', searchMigrations);
  const engines = openEngines(database, config);
  const deps = { db: database.tables<SearchTables>(), engines, logger, roomserver };
  if (config.search) await reportEngine(engines.preferred, logger);
  const lifecycle = new Lifecycle();
  lifecycle.add(await bus.serve('search', [handle(search.purgeRoom, (input) => purgeRoom(deps, input))]));
  lifecycle.add(await bus.follow(config.search ? roomserverConsumer(deps) : idleConsumer));
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
