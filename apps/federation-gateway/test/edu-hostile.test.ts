import { syncapi } from '@seneschal/contracts';
import {
  type Peer,
  peerSettings,
  rowsOf,
  startPeer,
  startWorld,
  type TestClient,
  type World,
} from '@seneschal/testing';

import { deliver, type PduResults } from './asking.ts';
import { joinAs } from './peer-users.ts';
import { say, setState } from './sharing.ts';

let here: World, peer: Peer;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, peer] = await Promise.all([startWorld({ settings: peerSettings }), startPeer()]);
  [alice, bob] = await Promise.all([
    here.register('alice', { deviceId: 'A' }),
    here.register('bob', { deviceId: 'B' }),
  ]);
  peer.answer('/_matrix/federation/v1/send/', () => ({ body: { pdus: {} } }));
});
afterAll(() => Promise.all([here.stop(), peer.stop()]));

const mallory = (): string => `@mallory:${peer.serverName}`;

/** A room of Alice that a user of the peer is in, with one message. */
async function shareWithPeer(): Promise<{ roomId: string; eventId: string }> {
  const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
  await joinAs(peer, here, mallory(), roomId);
  return { roomId, eventId: await say(alice, roomId, 'read me') };
}

/** What a user is told of a room now. */
async function told(who: TestClient, roomId: string, eventType: string): Promise<unknown> {
  const { join } = (await who.call('GET', '/sync'))['rooms'] as {
    join: Record<string, { ephemeral: { events: { type: string; content: unknown }[] } }>;
  };
  return join[roomId]?.ephemeral.events.find(({ type }) => type === eventType)?.content;
}

const edus = (...given: object[]): Promise<PduResults> => deliver(peer, here, { edus: given });

describe('messages to devices from another server', () => {
  const edu = (messageId: string, n: number, more: object = {}) => ({
    edu_type: 'm.direct_to_device',
    content: {
      ...{ sender: mallory(), type: 'm.room_key', message_id: messageId },
      messages: { [bob.userId]: { B: { n } } },
      ...more,
    },
  });

  async function numbersOf(who: TestClient): Promise<number[]> {
    const { next_batch: since, to_device: box } = (await who.call('GET', '/sync')) as {
      next_batch: string;
      to_device: { events: { content: { n: number } }[] };
    };
    await who.call('GET', `/sync?since=${since}`);
    return box.events.map(({ content }) => content.n);
  }

  it('are known by their IDs when they come again, in one transaction and in two at once', async () => {
    const both = [edu('one', 1), edu('two', 2), edu('one', 3)];
    await Promise.all([edus(...both), edus(...both)]);
    await edus(edu('two', 4), edu('three', 5));
    expect(await numbersOf(bob)).toEqual([1, 2, 5]);
  });

  it('are forgotten by ID in the end', async () => {
    await edus(edu('old', 1));
    await rowsOf(here.sql, `UPDATE userapi_received_messages SET received_ts = 1`);
    await edus(edu('new', 2));
    const ids = await rowsOf(here.sql, 'SELECT message_id FROM userapi_received_messages');
    expect(ids).toEqual([{ message_id: 'new' }]);
    expect(await numbersOf(bob)).toEqual([1, 2]);
  });

  it('are not taken from users of other servers, or for them', async () => {
    await edus(
      edu('forged', 1, { sender: alice.userId }),
      edu('elsewhere', 2, { sender: '@eve:elsewhere.example' }),
      edu('stranger', 3, { messages: { [mallory()]: { A: { n: 3 } }, '@x:elsewhere.example': { X: {} } } }),
      edu('bad', 4, { messages: { [bob.userId]: { B: 'text' } } }),
      edu('', 5),
      edu('nul\0', 8),
      edu('nul', 9, { type: 'nul\0', sender: mallory() }),
      edu('user', 10, { messages: { [`@b\0b:${here.serverName}`]: { B: { n: 10 } } } }),
      edu('x'.repeat(256), 6),
      edu('good', 7),
    );
    expect(await numbersOf(bob)).toEqual([7]);
  });
});

describe('read receipts of another server', () => {
  it('CVE-2023-42453: are taken of users of the server that sent them alone, who are in the room', async () => {
    const { roomId, eventId } = await shareWithPeer();
    const elsewhere = await alice.createRoom({ preset: 'public_chat' });
    const other = await say(alice, elsewhere, 'not for you');
    const data = { ts: 1 };
    const of = (room: string, userId: string, event: unknown, more: object = data): object => ({
      edu_type: 'm.receipt',
      content: { [room]: { 'm.read': { [userId]: { event_ids: [event], data: more } } } },
    });
    await edus(
      of(roomId, alice.userId, eventId),
      of(roomId, '@bob:elsewhere.example', eventId),
      of(roomId, `@stranger:${peer.serverName}`, eventId),
      of(elsewhere, mallory(), other),
      of(roomId, mallory(), other),
      of(roomId, mallory(), 7),
      of(roomId, mallory(), '$nul\0'),
      of('!nul\0', mallory(), eventId),
      of(roomId, `@m\0:${peer.serverName}`, eventId),
      of(roomId, mallory(), eventId, { ts: 'never' }),
      of(roomId, mallory(), eventId, { ts: 1, thread_id: 'x' }),
      {
        edu_type: 'm.receipt',
        content: { [roomId]: { 'm.read.private': { [mallory()]: { event_ids: [eventId], data } } } },
      },
    );
    await here.settled();
    expect(
      await rowsOf(here.sql, `SELECT FROM userapi_receipts WHERE room_id IN ('${roomId}', '${elsewhere}')`),
    ).toEqual([]);
    await edus(of(roomId, alice.userId, eventId), of(roomId, mallory(), eventId));
    expect(await told(alice, roomId, 'm.receipt')).toEqual({
      [eventId]: { 'm.read': { [mallory()]: { ts: 1 } } },
    });
    expect(await told(alice, elsewhere, 'm.receipt')).toBeUndefined();
  });

  it('and typing of a server that the server ACL shuts out are passed over', async () => {
    const { roomId, eventId } = await shareWithPeer();
    await setState(alice, roomId, 'm.room.server_acl', { allow: ['*'], deny: ['127.0.0.1'] });
    await edus(
      {
        edu_type: 'm.receipt',
        content: { [roomId]: { 'm.read': { [mallory()]: { event_ids: [eventId], data: { ts: 1 } } } } },
      },
      { edu_type: 'm.typing', content: { room_id: roomId, user_id: mallory(), typing: true } },
    );
    expect(await told(alice, roomId, 'm.receipt')).toBeUndefined();
    expect(await told(alice, roomId, 'm.typing')).toBeUndefined();
  });
});

describe('typing of another server', () => {
  it('noted twice is noted once, and stopped twice is stopped', async () => {
    const { roomId } = await shareWithPeer();
    const note = (isTyping: boolean) => {
      const typing = [{ roomId, userId: mallory(), isTyping }];
      return here.homeserver.platform.bus.call(syncapi.receiveTyping, { typing });
    };
    await Promise.all([note(true), note(true)]);
    expect(await told(alice, roomId, 'm.typing')).toEqual({ user_ids: [mallory()] });
    await Promise.all([note(false), note(false)]);
    expect(await told(alice, roomId, 'm.typing')).toBeUndefined();
  });

  it('is taken of users of the server that sent it alone, who are in the room', async () => {
    const { roomId } = await shareWithPeer();
    const elsewhere = await alice.createRoom({ preset: 'public_chat' });
    const of = (room_id: string, user_id: string, typing: unknown = true): object => ({
      edu_type: 'm.typing',
      content: { room_id, user_id, typing },
    });
    await edus(
      of(roomId, alice.userId),
      of(roomId, '@bob:elsewhere.example'),
      of(roomId, `@stranger:${peer.serverName}`),
      of(elsewhere, mallory()),
      of(roomId, mallory(), 'yes'),
    );
    expect(await told(alice, roomId, 'm.typing')).toBeUndefined();
    expect(await told(alice, elsewhere, 'm.typing')).toBeUndefined();
    await edus(of(roomId, mallory()));
    expect(await told(alice, roomId, 'm.typing')).toEqual({ user_ids: [mallory()] });
  });
});
