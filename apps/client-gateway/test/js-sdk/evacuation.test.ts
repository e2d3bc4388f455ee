import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { HttpApiEvent } from 'matrix-js-sdk';

import { logIn, password, type Person, roomOf, sharedRoom, until } from './clients.ts';

let world: World, admin: TestClient, alice: Person, bob: Person;
beforeAll(async () => {
  world = await startWorld();
  admin = await world.register('admin', { admin: true });
  for (const name of ['alice', 'bob']) await world.register(name, { password });
  alice = await logIn(world, 'alice');
  bob = await logIn(world, 'bob');
});
afterAll(async () => {
  for (const { client } of [alice, bob]) client.stopClient();
  await world.stop();
});

async function order(path: string, body: object = {}): Promise<Record<string, unknown>> {
  const answer = await admin.request('POST', `/_dendrite/admin/${path}`, { body });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

const isOut = (person: Person, roomId: string): Promise<true> =>
  until(person, () => person.client.getRoom(roomId)?.getMyMembership() === 'leave' || null);

describe('an administrator, as clients see it,', () => {
  it('evacuates a room: all have left it, and know so', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const { affected } = await order(`evacuateRoom/${encodeURIComponent(roomId)}`);
    expect(affected).toEqual(expect.arrayContaining([alice.userId, bob.userId]));
    for (const person of [alice, bob]) {
      await isOut(person, roomId);
      const room = person.client.getRoom(roomId)!;
      expect(room.getMember(person.userId)?.membership).toBe('leave');
      await expect(person.client.sendTextMessage(roomId, 'still here')).rejects.toMatchObject({
        errcode: 'M_FORBIDDEN',
      });
    }
  });

  it('evacuates a user from all rooms, in which the others stay and see it', async () => {
    const rooms = [await sharedRoom(alice, [bob]), await sharedRoom(bob, [alice])];
    const { room_id: invited } = await alice.client.createRoom({ invite: [bob.userId] });
    await until(bob, () => bob.client.getRoom(invited)?.getMyMembership() === 'invite');
    await order(`evacuateUser/${encodeURIComponent(bob.userId)}`);
    for (const roomId of [...rooms, invited]) await isOut(bob, roomId);
    for (const roomId of rooms) {
      const room = await roomOf(alice, roomId);
      await until(alice, () => room.getMember(bob.userId)?.membership === 'leave');
    }
    expect((await bob.client.getJoinedRooms()).joined_rooms).toEqual([]);
  });

  it('purges a room: it is left, and gone from a client that starts anew', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    await alice.client.sendTextMessage(roomId, 'not for long');
    await order(`purgeRoom/${encodeURIComponent(roomId)}`);
    for (const person of [alice, bob]) await isOut(person, roomId);
    await expect(alice.client.joinRoom(roomId)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    const later = await logIn(world, 'alice');
    expect(later.client.getRoom(roomId)).toBeNull();
    later.client.stopClient();
  });

  it('resets a password and ends the sessions: the client knows that it is logged out', async () => {
    await world.register('carol', { password });
    const carol = await logIn(world, 'carol');
    const loggedOut = new Promise<void>((resolve) => {
      carol.client.once(HttpApiEvent.SessionLoggedOut, () => {
        resolve();
      });
    });
    await order(`resetPassword/${encodeURIComponent(carol.userId)}`, {
      password: 'another one than before',
      logout_devices: true,
    });
    await loggedOut;
    carol.client.stopClient();
  });
});
