import type { RoomserverForClient } from '@seneschal/contracts';
import { invalidParam, notFound } from '@seneschal/matrix';

/** The room that a room ID or an alias names. M_NOT_FOUND for an alias that is not known here. */
export async function resolveRoom(
  roomserver: Pick<RoomserverForClient, 'roomIdByAlias'>,
  roomIdOrAlias: string,
): Promise<string> {
  if (roomIdOrAlias.startsWith('!')) return roomIdOrAlias;
  if (!roomIdOrAlias.startsWith('#')) throw invalidParam('That is neither a room ID nor a room alias.');
  const roomId = await roomserver.roomIdByAlias(roomIdOrAlias);
  if (roomId === undefined) throw notFound('No room has this alias.');
  return roomId;
}
