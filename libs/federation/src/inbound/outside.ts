import type { CallBus } from '@seneschal/bus';
import { roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import { type JsonObject, ownString, serverNameOf } from '@seneschal/matrix';

/**
 * Servers that know a room in which our user is nothing but invited, or knocks: who invited knows it; who knocks knows it
 * by the room's own name, or by who is told to have made it.
 */
export function serversOfOutsider(
  { event, told }: { event: JsonObject; told: readonly JsonObject[] },
  userId: string,
): string[] {
  const sender = ownString(event, 'sender') ?? '';
  const first = sender === userId ? (ownString(event, 'room_id') ?? '') : sender;
  const senders = told.map((one) => ownString(one, 'sender') ?? '');
  const servers = new Set([first, ...senders].map((one) => serverNameOf(one) ?? ''));
  servers.delete('');
  servers.delete(serverNameOf(userId) ?? '');
  return [...servers];
}

export interface OutsideDeps {
  bus: CallBus;
  roomserver: Pick<RoomserverForFederation, 'membershipEvent'>;
  /** This server. */
  serverName: string;
}

/**
 * Takes that a room which lives elsewhere takes an invite of our user back, or refuses a knock: a leave or a ban by
 * another user, from a server that knows the room. Its state cannot be asked, so no other event of the room is taken.
 * False for what is none of this.
 */
export async function receiveOutside(
  deps: OutsideDeps,
  { origin, roomId, roomVersion }: { origin: string; roomId: string; roomVersion: string },
  pdu: JsonObject,
): Promise<boolean> {
  const userId = ownString(pdu, 'state_key') ?? '';
  const sender = ownString(pdu, 'sender') ?? '';
  const membership = ownString(pdu['content'], 'membership');
  const isRefusal =
    pdu['type'] === 'm.room.member' && sender !== userId && (membership === 'leave' || membership === 'ban');
  if (!isRefusal || serverNameOf(userId) !== deps.serverName || serverNameOf(sender) !== origin) return false;
  const before = await deps.roomserver.membershipEvent(roomId, userId);
  if (before === undefined || !['invite', 'knock'].includes(before.membership)) return false;
  if (!serversOfOutsider(before, userId).includes(origin)) return false;
  const stored = { roomId, roomVersion, event: pdu, strippedState: [] };
  await deps.bus.call(roomserver.storeOutsideMembership, stored);
  return true;
}
