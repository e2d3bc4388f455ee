import type { Consumer } from '@seneschal/bus';
import { type RoomserverForSync, userapi, type UserapiFact, type UserapiForSync } from '@seneschal/contracts';
import type { Kysely } from 'kysely';

import { forgetDevices } from '../storage/connection-sweeps.ts';
import type { SyncapiTables } from '../storage/tables.ts';
import { publishWakeup, type WakeupBus } from '../wakeups/publish.ts';

export interface UserapiConsumerDeps {
  bus: WakeupBus;
  db: Kysely<SyncapiTables>;
  roomserver: Pick<RoomserverForSync, 'joinedRooms'>;
  userapi: Pick<UserapiForSync, 'deviceIds'>;
}

/**
 * Wakes users whose account data changed or whose devices got messages, and those who share a room with one who read or
 * whose devices changed. Forgets the connections of devices that are gone; what is missed, the housekeeping does.
 */
export function userapiConsumer(deps: UserapiConsumerDeps): Consumer<UserapiFact> {
  const { bus, db, roomserver } = deps;
  return {
    name: 'syncapi-userapi',
    log: userapi.userapiOutput,
    afterCommit: async (entries) => {
      const owners = new Set<string>();
      const users = new Set<string>();
      const rooms = new Set<string>();
      const changed = new Set<string>();
      for (const { fact } of entries) {
        if (fact.kind === 'to_device_queued') continue;
        for (const userId of 'userIds' in fact ? fact.userIds : [fact.userId]) users.add(userId);
        if (fact.kind === 'receipts_changed' && fact.isPublic) rooms.add(fact.roomId);
        if (fact.kind === 'device_list_changed') owners.add(fact.userId);
        const isOfDevice = fact.kind === 'device_list_changed' && fact.deviceId !== undefined;
        if (isOfDevice || fact.kind === 'account_deactivated') changed.add(fact.userId);
      }
      for (const userId of changed) await forgetDevices(db, userId, await deps.userapi.deviceIds(userId));
      for (const owner of owners) {
        for (const room of await roomserver.joinedRooms(owner)) rooms.add(room);
      }
      const position = entries.at(-1)?.position ?? 0;
      await publishWakeup(bus, { log: 'userapi', position, rooms: [...rooms], users: [...users] });
    },
  };
}
