import { startWorld, type World } from '@seneschal/testing';
import { NotificationCountType } from 'matrix-js-sdk';

import { logIn, password, type Person, roomOf, until } from './clients.ts';

let world: World, alice: Person, bob: Person;
beforeAll(async () => {
  world = await startWorld();
  for (const name of ['alice', 'bob']) await world.register(name, { password });
  const list = {
    ranges: [[0, 19]],
    timeline_limit: 10,
    required_state: [
      ['*', '*'],
      ['m.room.member', '$LAZY'],
      ['m.room.member', '$ME'],
    ],
  };
  alice = await logIn(world, 'alice', { lists: { all: list } });
  bob = await logIn(world, 'bob');
});
afterAll(async () => {
  for (const { client } of [alice, bob]) client.stopClient();
  await world.stop();
});

const lastBody = ({ client }: Person, roomId: string): unknown =>
  client.getRoom(roomId)?.getLiveTimeline().getEvents().at(-1)?.getContent()['body'];

describe('a client that learns of rooms by sliding sync', () => {
  it('is invited, joins, reads and is read, and writes', async () => {
    const { room_id: roomId } = await bob.client.createRoom({ name: 'Hall', invite: [alice.userId] });
    await until(alice, () => alice.client.getRoom(roomId)?.getMyMembership() === 'invite');
    await alice.client.joinRoom(roomId);
    const room = await roomOf(alice, roomId);
    await bob.client.sendTextMessage(roomId, 'Call me Ishmael');
    await until(alice, () => lastBody(alice, roomId) === 'Call me Ishmael');
    expect(room.name).toBe('Hall');
    expect(room.getJoinedMemberCount()).toBe(2);
    await until(alice, () => room.getUnreadNotificationCount(NotificationCountType.Total) === 1);
    const read = room.getLiveTimeline().getEvents().at(-1)!;
    await alice.client.sendReadReceipt(read);
    await until(alice, () => room.getUnreadNotificationCount(NotificationCountType.Total) === 0);
    await alice.client.sendTextMessage(roomId, 'A whale');
    await until(bob, () => lastBody(bob, roomId) === 'A whale');
    await until(alice, () => lastBody(alice, roomId) === 'A whale');
  });

  it('asks for nothing that the server does not understand', () => {
    const asked = alice.heard.filter(({ path }) => path.endsWith('/org.matrix.simplified_msc3575/sync'));
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter(({ status }) => status !== 200)).toEqual([]);
    expect(alice.heard.filter(({ path }) => path === '/_matrix/client/v3/sync')).toEqual([]);
  });
});
