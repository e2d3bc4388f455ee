import type { CallBus, Consumer } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type RoomserverForFederation, userapi } from '@seneschal/contracts';
import { serverNameOf } from '@seneschal/matrix';

export interface ForgetDevicesDeps {
  bus: CallBus;
  /** This server. */
  serverName: string;
  roomserver: Pick<RoomserverForFederation, 'usersSharedWith' | 'strangersIn'>;
}

const pageSize = 1000;

/**
 * Forgets the device lists of users of other servers with whom the last shared room is gone: nobody tells this server of
 * their changes any more (server-server API, "Device Management"), so they are fetched anew when they are met again.
 */
export function forgetDevicesConsumer(deps: ForgetDevicesDeps): Consumer<RoomserverFact> {
  return {
    name: 'federation-devices',
    log: roomserver.roomserverOutput,
    lingerMs: 1000,
    apply: async (_transaction, entries) => {
      const left = entries.flatMap(({ fact }) =>
        fact.kind === 'events_stored' ? fact.memberships.map((one) => ({ ...one, roomId: fact.roomId })) : [],
      );
      const gone = left.filter(({ previous, membership }) => previous === 'join' && membership !== 'join');
      const isLocal = ({ userId }: { userId: string }): boolean => serverNameOf(userId) === deps.serverName;
      await forgetUnshared(
        deps,
        gone.filter((one) => !isLocal(one)).map(({ userId }) => userId),
      );
      for (const roomId of new Set(gone.filter(isLocal).map((one) => one.roomId)))
        await forgetRoom(deps, roomId);
    },
  };
}

async function forgetUnshared({ bus, roomserver }: ForgetDevicesDeps, userIds: string[]): Promise<void> {
  const shared = await roomserver.usersSharedWith([...new Set(userIds)]);
  const gone = userIds.filter((userId) => !shared.has(userId));
  if (gone.length > 0) await bus.call(userapi.forgetRemoteDevices, { userIds: gone });
}

/** Of a room that this server is in still, nobody. */
async function forgetRoom({ bus, roomserver }: ForgetDevicesDeps, roomId: string): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const userIds: string[] = await roomserver.strangersIn(roomId, after, pageSize);
    if (userIds.length > 0) await bus.call(userapi.forgetRemoteDevices, { userIds });
    after = userIds.length < pageSize ? undefined : userIds.at(-1);
  }
}
