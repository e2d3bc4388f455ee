import {
  buildEvent,
  generateSigningKey,
  type JsonObject,
  type ProtoEvent,
  roomVersion,
  signJson,
} from '@seneschal/matrix';
import type { Member, Peer, World } from '@seneschal/testing';

import { deliver } from './asking.ts';

export { joinAs, type Member } from '@seneschal/testing';

const version = roomVersion('10');
const v1 = '/_matrix/federation/v1';

/** Has a user of a peer leave a room. */
export async function leaveAs(
  peer: Peer,
  world: World,
  { roomId, userId, join, authEvents }: Member,
): Promise<void> {
  const proto: ProtoEvent = {
    ...{ type: 'm.room.member', state_key: userId, sender: userId, room_id: roomId },
    ...{ content: { membership: 'leave' }, origin_server_ts: Date.now(), depth: 50 },
    ...{ prev_events: [join.eventId], auth_events: authEvents },
  };
  await deliver(peer, world, { pdus: [buildEvent(proto, version, peer.signer).pdu] });
}

/** A device as its server tells of it, with keys that it signed. */
export function deviceOf(userId: string, deviceId: string): JsonObject {
  const key = { ...generateSigningKey(), keyId: `ed25519:${deviceId}` };
  const keys = { [key.keyId]: key.publicKey };
  const signed = signJson({ user_id: userId, device_id: deviceId, algorithms: ['m.olm'], keys }, userId, key);
  return { device_id: deviceId, keys: signed };
}

export function devicesPath(userId: string): string {
  return `${v1}/user/devices/${encodeURIComponent(userId)}`;
}
