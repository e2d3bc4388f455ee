import type { Consumer } from '@seneschal/bus';
import { roomserver, type RoomserverFact } from '@seneschal/contracts';
import type { Kysely } from 'kysely';

import { forgetRooms } from '../storage/connection-sweeps.ts';
import type { SyncapiTables } from '../storage/tables.ts';
import { publishWakeup, type WakeupBus } from '../wakeups/publish.ts';

export interface RoomserverConsumerDeps {
  bus: WakeupBus;
  db: Kysely<SyncapiTables>;
}

/**
 * Wakes those who wait in a room for its events, and those whose membership changed; forgets what connections know of
 * rooms that were purged. What is missed of that, the housekeeping does.
 */
export function roomserverConsumer({ bus, db }: RoomserverConsumerDeps): Consumer<RoomserverFact> {
  return {
    name: 'syncapi-roomserver',
    log: roomserver.roomserverOutput,
    afterCommit: async (entries) => {
      const rooms = new Set<string>();
      const users = new Set<string>();
      for (const { fact } of entries) {
        if (fact.kind === 'room_forgotten' || fact.kind === 'content_reported') continue;
        rooms.add(fact.roomId);
        if (fact.kind !== 'events_stored') continue;
        for (const { userId } of fact.memberships) users.add(userId);
      }
      const purged = entries.flatMap(({ fact }) => (fact.kind === 'room_purged' ? [fact.roomId] : []));
      await forgetRooms(db, purged);
      const position = entries.at(-1)?.position ?? 0;
      await publishWakeup(bus, { log: 'roomserver', position, rooms: [...rooms], users: [...users] });
    },
  };
}
