import { startWorld, type TestClient, type World } from '@seneschal/testing';

import { room, say, setState, sync } from './syncing.ts';

let world: World;
let alice: TestClient;
let bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  bob = await world.register('bob');
});
afterAll(() => world.stop());

const own = (client: TestClient, path: string): string => `/user/${encodeURIComponent(client.userId)}${path}`;

async function upgrade(roomId: string): Promise<string> {
  const { replacement_room: next } = await alice.call('POST', room(roomId, '/upgrade'), {
    new_version: '12',
  });
  return next as string;
}

const tags = async (client: TestClient, roomId: string) =>
  (await client.call('GET', own(client, `/rooms/${encodeURIComponent(roomId)}/tags`)))['tags'];

const tag = (client: TestClient, roomId: string, name: string) =>
  client.call('PUT', own(client, `/rooms/${encodeURIComponent(roomId)}/tags/${name}`), { order: 0.5 });

const rule = (client: TestClient, kind: string, roomId: string) =>
  client.request('GET', `/_matrix/client/v3/pushrules/global/${kind}/${encodeURIComponent(roomId)}`);

describe('a user who joins the room that another was upgraded to', () => {
  it('finds tags, push rules and the place among direct chats as they were', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '11' });
    await bob.join(roomId);
    for (const client of [alice, bob]) await tag(client, roomId, 'm.favourite');
    await bob.call('PUT', `/pushrules/global/room/${encodeURIComponent(roomId)}`, { actions: [] });
    const mute = { actions: [], conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }] };
    await bob.call('PUT', `/pushrules/global/override/${encodeURIComponent(roomId)}`, mute);
    await bob.call('PUT', own(bob, '/account_data/m.direct'), { [alice.userId]: [roomId], other: ['!x'] });
    const { next_batch: since } = await sync(bob);
    const next = await upgrade(roomId);
    await world.settled();
    expect(await tags(alice, next)).toEqual({ 'm.favourite': { order: 0.5 } });
    expect(await tags(bob, next)).toEqual({});
    await bob.join(next);
    await world.settled();
    expect(await tags(bob, next)).toEqual({ 'm.favourite': { order: 0.5 } });
    expect((await rule(bob, 'room', next)).body).toMatchObject({ rule_id: next, actions: [] });
    const override = await rule(bob, 'override', next);
    expect(override.body).toMatchObject({ conditions: [{ pattern: next }] });
    const direct = await bob.call('GET', own(bob, '/account_data/m.direct'));
    expect(direct).toEqual({ [alice.userId]: [roomId, next], other: ['!x'] });
    const told = await sync(bob, { since });
    expect(told.rooms.join[next]?.account_data.events).toMatchObject([{ type: 'm.tag' }]);
  });

  it('keeps what was set of the new room, and gets nothing twice', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '11' });
    await bob.join(roomId);
    await tag(bob, roomId, 'm.favourite');
    const next = await upgrade(roomId);
    await tag(bob, next, 'm.lowpriority');
    await bob.join(next);
    await bob.leave(next);
    await bob.join(next);
    await world.settled();
    expect(Object.keys((await tags(bob, next)) as object)).toEqual(['m.lowpriority']);
  });

  it('gets nothing of a room that does not say that it was replaced', async () => {
    const roomId = await bob.createRoom({ preset: 'public_chat' });
    await tag(bob, roomId, 'm.favourite');
    const predecessor = { room_id: roomId };
    const claimed = await alice.createRoom({ preset: 'public_chat', creation_content: { predecessor } });
    await bob.join(claimed);
    await world.settled();
    expect(await tags(bob, claimed)).toEqual({});
  });
});

describe('a room that another was upgraded to', () => {
  it('keeps out who was banned, for the same reason', async () => {
    const mallory = await world.register('mallory');
    const pardoned = await world.register('pardoned');
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
    for (const { userId } of [mallory, pardoned]) {
      await alice.call('POST', room(roomId, '/ban'), { user_id: userId, reason: 'spam' });
    }
    await alice.call('POST', room(roomId, '/unban'), { user_id: pardoned.userId });
    const next = await upgrade(roomId);
    const path = room(next, `/state/m.room.member/${encodeURIComponent(mallory.userId)}`);
    expect(await alice.call('GET', path)).toEqual({ membership: 'ban', reason: 'spam' });
    const answer = await mallory.request('POST', `/_matrix/client/v3${room(next, '/join')}`, { body: {} });
    expect(answer).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    await pardoned.join(next);
  });
});

it('a new name of the reader makes nothing read', async () => {
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await bob.join(roomId);
  await say(alice, roomId, 'one');
  await bob.call('PUT', `/profile/${encodeURIComponent(bob.userId)}/displayname`, { displayname: 'Bob' });
  await world.settled();
  await setState(alice, roomId, 'm.room.topic', { topic: 'x' });
  const joined = (await sync(bob)).rooms.join[roomId];
  expect(joined?.unread_notifications).toMatchObject({ notification_count: 1 });
});
