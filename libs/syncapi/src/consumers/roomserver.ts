import type { Consumer } from '@seneschal/bus';
import { roomserver, type RoomserverFact } from '@seneschal/contracts';

import { publishWakeup, type WakeupBus } from '../wakeups/publish.ts';

/** Wakes those who wait in a room for its events, and those whose membership changed. */
export function roomserverConsumer(bus: WakeupBus): Consumer<RoomserverFact> {
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
      const position = entries.at(-1)?.position ?? 0;
      await publishWakeup(bus, { log: 'roomserver', position, rooms: [...rooms], users: [...users] });
    },
  };
}
