import type { Consumer } from '@seneschal/bus';
import { type RoomserverForSync, userapi, type UserapiFact } from '@seneschal/contracts';

import { publishWakeup, type WakeupBus } from '../wakeups/publish.ts';

export interface UserapiConsumerDeps {
  bus: WakeupBus;
  roomserver: Pick<RoomserverForSync, 'joinedRooms'>;
}

/** Wakes users whose account data changed or whose devices got messages, and those who share a room with one who read or whose devices changed. */
export function userapiConsumer({ bus, roomserver }: UserapiConsumerDeps): Consumer<UserapiFact> {
  return {
    name: 'syncapi-userapi',
    log: userapi.userapiOutput,
    afterCommit: async (entries) => {
      const owners = new Set<string>();
      const users = new Set<string>();
      const rooms = new Set<string>();
      for (const { fact } of entries) {
        if (fact.kind === 'to_device_queued') continue;
        for (const userId of 'userIds' in fact ? fact.userIds : [fact.userId]) users.add(userId);
        if (fact.kind === 'receipts_changed' && fact.isPublic) rooms.add(fact.roomId);
        if (fact.kind === 'device_list_changed') owners.add(fact.userId);
      }
      for (const owner of owners) {
        for (const room of await roomserver.joinedRooms(owner)) rooms.add(room);
      }
      const position = entries.at(-1)?.position ?? 0;
      await publishWakeup(bus, { log: 'userapi', position, rooms: [...rooms], users: [...users] });
    },
  };
}
