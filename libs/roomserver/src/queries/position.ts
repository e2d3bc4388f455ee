import { roomserver } from '@seneschal/contracts';
import { lastPosition } from '@seneschal/database';

import type { QueryDeps } from './query-deps.ts';

/** The last committed stream position: everything up to it can be read, nothing is added below it. */
export function position(deps: Pick<QueryDeps, 'db'>): Promise<number> {
  return lastPosition(deps.db, roomserver.roomserverOutput.table);
}
