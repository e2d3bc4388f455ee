import {
  buildEvent,
  eventIdOf,
  generateSigningKey,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
  roomVersion,
  signJson,
} from '@seneschal/matrix';
import type { Peer, World } from '@seneschal/testing';

import { ask, deliver } from './asking.ts';

const version = roomVersion('10');
const v1 = '/_matrix/federation/v1';

/** Has a user of a peer join a room of a world, of room version 10. */
export async function joinAs(peer: Peer, world: World, userId: string, roomId: string): Promise<Member> {
  const at = `${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`;
  const made = await ask(peer, world, { uri: `${v1}/make_join/${at}?ver=10` });
  const template = made.body['event'] as ProtoEvent;
  const join = buildEvent({ ...template, origin_server_ts: Date.now() }, version, peer.signer);
  const uri = `/_matrix/federation/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`;
  const joined = await ask(peer, world, { method: 'PUT', uri, content: join.pdu as unknown as JsonObject });
  expect(joined.status).toBe(200);
  const state = joined.body['state'] as Pdu[];
  const authEvents = state
    .filter(({ type }) => type === 'm.room.create' || type === 'm.room.power_levels')
    .map((pdu) => eventIdOf(pdu, version));
  return { roomId, userId, join, authEvents: [...authEvents, join.eventId], state };
}

/** A user of a peer in a room of a world, with what the next event of the user refers to. */
export interface Member {
  roomId: string;
  userId: string;
  join: { eventId: string; pdu: Pdu };
  authEvents: string[];
  /** As the world told it when the user joined. */
  state: Pdu[];
}

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
