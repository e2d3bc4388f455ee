import type { Config } from '@seneschal/config';
import type { RoomserverForSearch, SearchForAdmin, SearchForClient } from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import { MatrixError } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { EngineRefused, EngineUnavailable } from './engines/engine.ts';
import { type EngineConfig, openEngines } from './engines/open-engines.ts';
import { reindexable } from './queries/reindexable.ts';
import { countRoomData } from './queries/room-data.ts';
import { search } from './queries/search.ts';
import { status } from './queries/status.ts';
import type { SearchTables } from './storage/tables.ts';

export interface SearchReadsDeps {
  database: Database;
  config: EngineConfig & Pick<Config, 'search'>;
  logger: Pick<Logger, 'warn'>;
  roomserver: RoomserverForSearch;
}

export type SearchReads = SearchForClient & SearchForAdmin;

/** Searches, and how the index is, run in the gateway that is asked. */
export function searchReads({ database, config, logger, roomserver }: SearchReadsDeps): SearchReads {
  const deps = { db: database.tables<SearchTables>(), engines: openEngines(database, config), roomserver };
  const requireOn = (): void => {
    if (!config.search) throw new MatrixError(400, 'M_UNKNOWN', 'Search is turned off on this server.');
  };
  const answered = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EngineUnavailable || error instanceof EngineRefused)) throw error;
      logger.warn({ error: error.message }, 'the search index could not be asked');
      throw new MatrixError(503, 'M_UNKNOWN', 'Search does not work at the moment. Try again later.');
    }
  };
  return {
    requireOn,
    status: async (asked) => (config.search ? status(deps, asked) : { isOn: false }),
    countRoomData: async (roomIds) => (config.search ? answered(() => countRoomData(deps, roomIds)) : {}),
    reindexable: (roomId) => answered(() => reindexable(deps, roomId)),
    search: async (request) => {
      requireOn();
      return answered(() => search(deps, request));
    },
  };
}
