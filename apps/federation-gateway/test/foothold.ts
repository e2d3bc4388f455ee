import { buildEvent, eventIdOf, type Pdu, type ProtoEvent, roomVersion } from '@seneschal/matrix';
import type { Peer, TestClient, World } from '@seneschal/testing';

import { joinAs, type Member } from './peer-users.ts';

const version = roomVersion('10');

/** A user of a peer in a room of the world; tests have others of its auth events, too. */
export type Foothold = Omit<Member, 'userId' | 'authEvents'> & { authEvents: Pdu['auth_events'] };

/** Has a user of a peer join a new room of a user of the world. */
export async function enterRoom(given: { world: World; peer: Peer; alice: TestClient }): Promise<Foothold> {
  const { world, peer, alice } = given;
  const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
  return joinAs(peer, world, mallory(peer), roomId);
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
