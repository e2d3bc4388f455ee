import { buildEvent, type JsonObject, type ProtoEvent, roomVersion } from '@seneschal/matrix';
import {
  type Peer,
  peerSettings,
  startPeer,
  startWorld,
  type TestClient,
  type World,
} from '@seneschal/testing';

import { ask, deliver, errorsOf } from './asking.ts';

const version = roomVersion('10');
const roomId = '!club:elsewhere.example';

let world: World, inviting: Peer, other: Peer, alice: TestClient;
beforeAll(async () => {
  [world, inviting, other] = await Promise.all([
    startWorld({ settings: peerSettings }),
    startPeer(),
    startPeer(),
  ]);
  alice = await world.register('alice');
});
afterAll(() => Promise.all([world.stop(), inviting.stop(), other.stop()]));

function eventOf(peer: Peer, more: Partial<ProtoEvent>): { pdu: JsonObject; eventId: string } {
  const refs = [`$${'a'.repeat(43)}`];
  const built = buildEvent(
    {
      ...{ type: 'm.room.member', room_id: roomId, sender: `@x:${peer.serverName}`, state_key: alice.userId },
      ...{ content: { membership: 'leave' }, origin_server_ts: Date.now(), depth: 9 },
      ...{ prev_events: refs, auth_events: refs, ...more },
    },
    version,
    peer.signer,
  );
  return { pdu: built.pdu as unknown as JsonObject, eventId: built.eventId };
}

/** What is answered on each of the events. */
const send = async (peer: Peer, pdus: readonly JsonObject[]): Promise<(string | undefined)[]> =>
  errorsOf(await deliver(peer, world, { pdus }));

async function isInvited(): Promise<boolean> {
  const { rooms } = (await alice.call('GET', '/sync')) as { rooms: { invite: object } };
  return Object.keys(rooms.invite).includes(roomId);
}

describe('an invite to a room that lives elsewhere', () => {
  it('is taken back by the server that it came from, and by nobody else and nothing else', async () => {
    const { pdu, eventId } = eventOf(inviting, { content: { membership: 'invite' } });
    const path = `${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
    const invited = await ask(inviting, world, {
      ...{ method: 'PUT', uri: `/_matrix/federation/v2/invite/${path}` },
      content: { room_version: '10', event: pdu, invite_room_state: [] },
    });
    expect([invited.status, await isInvited()]).toEqual([200, true]);
    const refused = 'This server is not in the room.';
    const forged = { ...eventOf(inviting, { depth: 10 }).pdu, depth: 11 };
    expect(
      await send(other, [
        eventOf(other, { depth: 2 }).pdu,
        eventOf(other, { depth: 3, sender: `@x:${inviting.serverName}` }).pdu,
        eventOf(other, { depth: 4, content: { membership: 'join' } }).pdu,
        eventOf(inviting, { depth: 5 }).pdu,
      ]),
    ).toEqual([refused, refused, refused, refused]);
    expect(
      await send(inviting, [
        forged,
        eventOf(inviting, { sender: alice.userId }).pdu,
        eventOf(inviting, { type: 'm.room.topic', state_key: '', content: { topic: 'x' } }).pdu,
        eventOf(inviting, { content: { membership: 'invite' }, depth: 12 }).pdu,
      ]),
    ).toEqual([refused, refused, refused, refused]);
    expect(await isInvited()).toBe(true);
    expect(await send(inviting, [eventOf(inviting, { depth: 13 }).pdu])).toEqual([undefined]);
    expect(await isInvited()).toBe(false);
    // It may come again.
    expect(await send(inviting, [eventOf(inviting, { depth: 14 }).pdu])).toEqual([refused]);
  });
});
