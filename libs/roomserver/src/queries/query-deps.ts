import type { Kysely } from 'kysely';

import type { Logger } from '@seneschal/observability';

import type { RoomserverTables } from '../storage/tables.ts';

/** What the reads run on. The logger is told of rows that cannot be read and are left out. */
export interface QueryDeps {
  db: Kysely<RoomserverTables>;
  logger: Pick<Logger, 'warn'>;
}
