import type { Kysely, Transaction } from 'kysely';

import type { Consumer, LogEntry } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type RoomserverForSearch } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

import { changesOf, followedTypes } from '../documents/changes.ts';
import type { Engines } from '../engines/open-engines.ts';
import { createFirstIndex, usableIndexes, writeToAll } from '../indexes.ts';
import { lockIndexes } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

export interface RoomserverConsumerDeps {
  /** Outside of the consumer's transaction. */
  db: Kysely<SearchTables>;
  engines: Engines;
  logger: Pick<Logger, 'error'>;
  roomserver: Pick<RoomserverForSearch, 'eventsOfTypes' | 'eventsById'>;
}

const name = 'search-roomserver';
const pageSize = 1000;

/**
 * Brings what is sent, edited and redacted into the indexes. The checkpoint moves when the engine has made it
 * searchable: while it is down nothing moves, and afterwards everything comes in order.
 */
export function roomserverConsumer(deps: RoomserverConsumerDeps): Consumer<RoomserverFact> {
  return {
    name,
    log: roomserver.roomserverOutput,
    apply: (transaction, entries) =>
      apply(deps, transaction as unknown as Transaction<SearchTables>, entries),
  };
}

/** Follows the log without a use, while search is off: what is never read would pile up in Redis. */
export const idleConsumer: Consumer<RoomserverFact> = {
  name,
  log: roomserver.roomserverOutput,
  apply: async () => undefined,
};

async function apply(
  { db, engines, logger, roomserver: reads }: RoomserverConsumerDeps,
  transaction: Transaction<SearchTables>,
  entries: readonly LogEntry<RoomserverFact>[],
): Promise<void> {
  const upTo = entries.at(-1)?.position ?? 0;
  let after = Math.min(upTo, ...entries.map(firstPosition)) - 1;
  await lockIndexes(transaction);
  const indexes = await usableIndexes(transaction, engines);
  if (!indexes.some(({ index }) => index.state === 'live')) {
    indexes.push(await createFirstIndex(db, engines));
  }
  for (;;) {
    const events = await reads.eventsOfTypes({ types: followedTypes, after, upTo, limit: pageSize });
    if (events.length > 0) {
      const changes = await changesOf({ db: transaction, roomserver: reads }, events);
      await writeToAll(transaction, indexes, changes, logger);
    }
    if (events.length < pageSize) return;
    after = events.at(-1)?.position ?? upTo;
  }
}

/** The position of the first event that a fact tells of. */
function firstPosition({ position, fact }: LogEntry<RoomserverFact>): number {
  return fact.kind === 'events_stored' ? fact.first : position;
}
