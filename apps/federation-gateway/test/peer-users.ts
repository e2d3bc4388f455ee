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

import { ask } from './asking.ts';

const version = roomVersion('10');
const v1 = '/_matrix/federation/v1';

/** Has a user of a peer join a room of a world, of room version 10. Answers what a leave of theirs refers to. */
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
  return { roomId, userId, joinId: join.eventId, authEvents: [...authEvents, join.eventId] };
}

export interface Member {
  roomId: string;
  userId: string;
  joinId: string;
  authEvents: string[];
}

let transactions = 0;

/** Sends a transaction of a peer to a world. */
export async function deliver(
  peer: Peer,
  world: World,
  content: { pdus?: object[]; edus?: object[] },
): Promise<void> {
  transactions += 1;
  const body = { origin: peer.serverName, origin_server_ts: Date.now(), pdus: [], ...content };
  const uri = `${v1}/send/edus${transactions}`;
  const { status } = await ask(peer, world, { method: 'PUT', uri, content: body as unknown as JsonObject });
  expect(status).toBe(200);
}

/** Has a user of a peer leave a room. */
export async function leaveAs(
  peer: Peer,
  world: World,
  { roomId, userId, joinId, authEvents }: Member,
): Promise<void> {
  const proto: ProtoEvent = {
    ...{ type: 'm.room.member', state_key: userId, sender: userId, room_id: roomId },
    ...{ content: { membership: 'leave' }, origin_server_ts: Date.now(), depth: 50 },
    ...{ prev_events: [joinId], auth_events: authEvents },
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
