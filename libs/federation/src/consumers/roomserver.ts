import type { Transaction } from 'kysely';

import type { Consumer } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type RoomserverForFederation } from '@seneschal/contracts';

import { enqueue } from '../storage/queue.ts';
import type { FederationTables } from '../storage/tables.ts';

export interface RoomserverConsumerDeps {
  roomserver: Pick<RoomserverForFederation, 'outgoingEvents' | 'pdus'>;
  /** Called after the commit. */
  wake: () => unknown;
}

/** Queues what is stored in rooms for the other servers of the rooms. */
export function roomserverConsumer(deps: RoomserverConsumerDeps): Consumer<RoomserverFact> {
  let hasQueued = false;
  return {
    name: 'federation-roomserver',
    log: roomserver.roomserverOutput,
    lingerMs: 20,
    apply: async (transaction, entries) => {
      const stored = entries.flatMap(({ position, fact }) => {
        if (fact.kind !== 'events_stored' || fact.count === 0) return [];
        if (fact.via !== undefined && !fact.via.isRelayed) return [];
        return [{ roomId: fact.roomId, first: fact.first, last: position, origin: fact.via?.origin }];
      });
      const events = await deps.roomserver.outgoingEvents(stored);
      if (events.length === 0) return;
      const pdus = await deps.roomserver.pdus(events.map(({ eventId }) => eventId));
      const queued = events.flatMap((event) => {
        const pdu = pdus.get(event.eventId);
        return pdu === undefined ? [] : [{ ...event, json: JSON.stringify(pdu) }];
      });
      await enqueue(transaction as unknown as Transaction<FederationTables>, queued);
      hasQueued = true;
    },
    afterCommit: async () => {
      if (hasQueued) void deps.wake();
      hasQueued = false;
    },
  };
}
