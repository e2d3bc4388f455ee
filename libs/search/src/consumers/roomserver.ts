import type { Kysely, Transaction } from 'kysely';

import type { Consumer, LogEntry } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type RoomserverForSearch } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

import { removeRoom } from '../commands/purge-room.ts';
import { changesOf, followedTypes } from '../documents/changes.ts';
import type { Engines } from '../engines/open-engines.ts';
import { createFirstIndex, usableIndexes, writeToAll } from '../indexes.ts';
import { lockIndexes, setPosition } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

export interface RoomserverConsumerDeps {
  /** Outside of the consumer's transaction. */
  db: Kysely<SearchTables>;
  engines: Engines;
  logger: Pick<Logger, 'error'>;
  roomserver: Pick<RoomserverForSearch, 'eventsOfTypes' | 'eventsById'>;
  /** Has everything, or one room, indexed anew in the background. */
  startReindex: (roomId?: string) => Promise<void>;
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
    lingerMs: 200,
    apply: (transaction, entries) =>
      apply(deps, transaction as unknown as Transaction<SearchTables>, entries),
  };
}

/** Follows the log without a use, while search is off: what is never read would pile up in Redis. */
export const idleConsumer: Consumer<RoomserverFact> = {
  name,
  log: roomserver.roomserverOutput,
};

async function apply(
  { db, engines, logger, roomserver: reads, startReindex }: RoomserverConsumerDeps,
  transaction: Transaction<SearchTables>,
  entries: readonly LogEntry<RoomserverFact>[],
): Promise<void> {
  const upTo = entries.at(-1)?.position ?? 0;
  let after = Math.min(upTo, ...entries.map(firstPosition)) - 1;
  await lockIndexes(transaction);
  const indexes = await usableIndexes(transaction, engines);
  let live = indexes.find(({ index }) => index.state === 'live');
  if (live === undefined) {
    live = await createFirstIndex(db, engines);
    indexes.push(live);
    // What came before has been passed over, as when search was off.
    if (after > 0) await startReindex();
  }
  for (const roomId of roomsIn(entries, 'room_purged')) {
    await removeRoom({ engines }, transaction, roomId);
  }
  for (const roomId of roomsIn(entries, 'room_imported')) await startReindex(roomId);
  for (;;) {
    const events = await reads.eventsOfTypes({ types: followedTypes, after, upTo, limit: pageSize });
    if (events.length > 0) {
      const changes = await changesOf({ db: transaction, roomserver: reads }, events);
      await writeToAll(transaction, indexes, changes, logger);
    }
    if (events.length < pageSize) break;
    after = events.at(-1)?.position ?? upTo;
  }
  await setPosition(transaction, live.index, upTo);
}

/** The rooms of facts of a kind. What is left of a purged one is no longer read, whichever fact comes first. */
function roomsIn(
  entries: readonly LogEntry<RoomserverFact>[],
  kind: 'room_purged' | 'room_imported',
): Set<string> {
  return new Set(entries.flatMap(({ fact }) => (fact.kind === kind ? [fact.roomId] : [])));
}

/** The position of the first event that a fact tells of. */
function firstPosition({ position, fact }: LogEntry<RoomserverFact>): number {
  return fact.kind === 'events_stored' ? fact.first : position;
}
