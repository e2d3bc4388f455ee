import type { RoomserverForSync, UserapiForSync } from '@seneschal/contracts';

import type { SyncPosition } from '../tokens.ts';

export interface KeyChangesDeps {
  roomserver: Pick<RoomserverForSync, 'usersSharingRooms' | 'encryptedRoomChanges'>;
  userapi: Pick<UserapiForSync, 'deviceListChanges'>;
}

export interface KeyChanges {
  changed: string[];
  left: string[];
}

/**
 * Whose devices a client has to look up again, and whose it need not follow any more (client-server API,
 * "Tracking the device list for a user"). Nothing is asked where a log has not grown.
 */
export async function keyChanges(
  deps: KeyChangesDeps,
  userId: string,
  since: SyncPosition,
  until: SyncPosition,
): Promise<KeyChanges> {
  const [updated, rooms] = await Promise.all([
    until.userapi > since.userapi ? updatedUsers(deps, userId, since.userapi, until.userapi) : [],
    until.roomserver > since.roomserver
      ? deps.roomserver.encryptedRoomChanges(userId, since.roomserver, until.roomserver)
      : { met: [], parted: [] },
  ]);
  return { changed: [...new Set([...updated, ...rooms.met])], left: rooms.parted };
}

async function updatedUsers(
  deps: KeyChangesDeps,
  userId: string,
  from: number,
  to: number,
): Promise<string[]> {
  const { changed, signed } = await deps.userapi.deviceListChanges(userId, from, to);
  const others = changed.filter((user) => user !== userId);
  const sharing = others.length === 0 ? [] : await deps.roomserver.usersSharingRooms(userId, others);
  return [...(changed.length > others.length ? [userId] : []), ...sharing, ...signed];
}
