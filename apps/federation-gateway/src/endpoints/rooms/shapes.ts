import type { RoomserverForFederation } from '@seneschal/contracts';
import {
  aclAllows,
  forbidden,
  isEventId,
  isRoomId,
  isUserId,
  type JsonObject,
  notFound,
} from '@seneschal/matrix';
import { z } from 'zod';

export const roomId = z.string().refine(isRoomId, 'is not a room ID');
export const eventId = z.string().refine(isEventId, 'is not an event ID');
export const userId = z.string().refine(isUserId, 'is not a user ID');

export const pdu = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'is not an object',
);

export type RoomReads = RoomserverForFederation;

export interface ResidentRoom {
  roomVersion: string;
}

/** The room, where this server is in it and the room lets the asking server take part. M_NOT_FOUND, M_FORBIDDEN. */
export async function residentRoom(
  roomserver: Pick<RoomReads, 'federatedRoom'>,
  id: string,
  origin: string,
): Promise<ResidentRoom> {
  const room = await roomserver.federatedRoom(id);
  if (room?.isResident !== true || room.isClosed) throw notFound('This server is not in the room.');
  if (!aclAllows(room.serverAcl, origin)) throw forbidden('The room does not let your server take part.');
  return { roomVersion: room.roomVersion };
}

/** The same for what only servers that are in the room may ask. */
export async function sharedRoom(
  roomserver: Pick<RoomReads, 'federatedRoom' | 'joinedServers'>,
  id: string,
  origin: string,
): Promise<ResidentRoom> {
  const room = await residentRoom(roomserver, id, origin);
  if (!(await roomserver.joinedServers(id)).includes(origin))
    throw forbidden('Your server is not in the room.');
  return room;
}
