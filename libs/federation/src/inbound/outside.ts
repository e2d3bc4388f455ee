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
 * Whether an event may be that a room which lives elsewhere takes an invite of our user back, or refuses a knock: a leave
 * or a ban by another user, who is of the server that sends it.
 */
export function mayEndInvite(pdu: JsonObject, origin: string, serverName: string): boolean {
  const userId = ownString(pdu, 'state_key') ?? '';
  const sender = ownString(pdu, 'sender') ?? '';
  const membership = ownString(pdu['content'], 'membership');
  return (
    pdu['type'] === 'm.room.member' &&
    (membership === 'leave' || membership === 'ban') &&
    sender !== userId &&
    serverNameOf(sender) === origin &&
    serverNameOf(userId) === serverName
  );
}

/**
 * Takes such an event, of which the signatures have been checked, from a server that knows the room. Its state cannot be
 * asked, so no other event of the room is taken. False when the user is neither invited nor knocks, or the server is
 * another.
 */
export async function receiveOutside(
  { bus, roomserver: rooms }: OutsideDeps,
  { origin, roomId, roomVersion }: { origin: string; roomId: string; roomVersion: string },
  pdu: JsonObject,
): Promise<boolean> {
  const userId = ownString(pdu, 'state_key') ?? '';
  const before = await rooms.membershipEvent(roomId, userId);
  if (before === undefined || !['invite', 'knock'].includes(before.membership)) return false;
  if (!serversOfOutsider(before, userId).includes(origin)) return false;
  await bus.call(roomserver.storeOutsideMembership, { roomId, roomVersion, event: pdu, strippedState: [] });
  return true;
}
