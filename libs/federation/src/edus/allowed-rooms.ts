import type { RoomserverForFederation } from '@seneschal/contracts';
import { aclAllows } from '@seneschal/matrix';

export interface AllowedRoomsDeps {
  roomserver: Pick<RoomserverForFederation, 'roomsSharedWith'>;
}

/** Those of the rooms in which what a server tells counts: it is in them, so is this server, and the server ACL lets it. */
export async function allowedRooms(
  { roomserver }: AllowedRoomsDeps,
  origin: string,
  roomIds: readonly string[],
): Promise<Set<string>> {
  const shared = await roomserver.roomsSharedWith(origin, [...new Set(roomIds)]);
  return new Set([...shared].filter(([, acl]) => aclAllows(acl, origin)).map(([roomId]) => roomId));
}
