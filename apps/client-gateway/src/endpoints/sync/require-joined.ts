import type { RoomserverForClient } from '@seneschal/contracts';
import { forbidden } from '@seneschal/matrix';

/** Throws M_FORBIDDEN unless the user is joined to the room. */
export async function requireJoined(
  roomserver: Pick<RoomserverForClient, 'membership'>,
  roomId: string,
  userId: string,
): Promise<void> {
  if ((await roomserver.membership(roomId, userId)) !== 'join') throw forbidden('You are not in this room.');
}
