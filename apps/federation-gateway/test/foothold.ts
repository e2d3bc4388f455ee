import {
  buildEvent,
  eventIdOf,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
  roomVersion,
} from '@seneschal/matrix';
import type { Peer, TestClient, World } from '@seneschal/testing';

import { ask } from './asking.ts';

const version = roomVersion('10');

/** A user of a peer in a room of the world, with what the next event of the peer refers to. */
export interface Foothold {
  roomId: string;
  join: { eventId: string; pdu: Pdu };
  authEvents: Pdu['auth_events'];
  /** As the world told it when the user joined. */
  state: Pdu[];
}

/** Has a user of a peer join a new room of a user of the world. */
export async function enterRoom(given: { world: World; peer: Peer; alice: TestClient }): Promise<Foothold> {
  const { world, peer, alice } = given;
  const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
  const at = `${encodeURIComponent(roomId)}/${encodeURIComponent(mallory(peer))}?ver=10`;
  const made = await ask(peer, world, { uri: `/_matrix/federation/v1/make_join/${at}` });
  const template = made.body['event'] as ProtoEvent;
  const join = buildEvent({ ...template, origin_server_ts: Date.now() }, version, peer.signer);
  const path = `${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`;
  const uri = `/_matrix/federation/v2/send_join/${path}`;
  const joined = await ask(peer, world, { method: 'PUT', uri, content: join.pdu as unknown as JsonObject });
  expect(joined.status).toBe(200);
  const state = joined.body['state'] as Pdu[];
  const needed = new Set(['m.room.create', 'm.room.power_levels']);
  const authEvents = idsOf(state.filter(({ type }) => needed.has(type))).concat(join.eventId);
  return { roomId, join, authEvents, state };
}

export function mallory(peer: Peer): string {
  return `@mallory:${peer.serverName}`;
}

export function idsOf(pdus: readonly Pdu[]): string[] {
  return pdus.map((pdu) => eventIdOf(pdu, version));
}

/** An event of the peer after the join, and how it differs from one that is as it should be. */
export function eventOf(
  peer: Peer,
  { roomId, join, authEvents }: Foothold,
  given: Pick<ProtoEvent, 'type' | 'content'> & Partial<ProtoEvent>,
): Pdu {
  const proto: ProtoEvent = {
    ...{ room_id: roomId, sender: mallory(peer), origin_server_ts: Date.now() },
    ...{ prev_events: [join.eventId], auth_events: authEvents, depth: 20 },
    ...given,
  };
  return buildEvent(proto, version, peer.signer).pdu;
}
