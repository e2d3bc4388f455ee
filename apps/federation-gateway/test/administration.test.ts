import { allDelivered, startFederatedWorld, type TestClient, type World } from '@seneschal/testing';

import { joinVia, membersOf, say, texts } from './sharing.ts';

let here: World, there: World;
let admin: TestClient, alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([startFederatedWorld(), startFederatedWorld()]);
  [admin, alice, bob] = await Promise.all([
    here.register('admin', { admin: true }),
    here.register('alice'),
    there.register('bob'),
  ]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

async function administer(path: string): Promise<Record<string, unknown>> {
  const { status, body, text } = await admin.request('POST', `/_dendrite/admin/${path}`, { body: {} });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return body;
}

async function sync(
  who: TestClient,
): Promise<{ invite: Record<string, unknown>; join: Record<string, unknown> }> {
  return (await who.call('GET', '/sync'))['rooms'] as never;
}

describe('evacuation over federation', () => {
  it('of a room is seen by the other server', async () => {
    const roomId = await bob.createRoom({ preset: 'public_chat' });
    for (const who of [alice, admin]) await joinVia(who, roomId, there);
    await allDelivered(here, there);
    const { affected } = await administer(`evacuateRoom/${encodeURIComponent(roomId)}`);
    expect((affected as string[]).sort()).toEqual([admin.userId, alice.userId].sort());
    await allDelivered(here, there);
    expect(await membersOf(bob, roomId)).toEqual([bob.userId]);
  });

  it('of a user is seen in joined rooms, and turns down invites with the server they came from', async () => {
    const eve = await here.register('eve');
    const joined = await bob.createRoom({ preset: 'public_chat' });
    const invited = await bob.createRoom({ preset: 'private_chat' });
    await joinVia(eve, joined, there);
    await bob.invite(invited, eve.userId);
    expect(Object.keys((await sync(eve)).invite)).toEqual([invited]);
    await allDelivered(here, there);
    const { affected } = await administer(`evacuateUser/${encodeURIComponent(eve.userId)}`);
    expect((affected as string[]).sort()).toEqual([invited, joined].sort());
    await allDelivered(here, there);
    expect(await membersOf(bob, joined)).toEqual([bob.userId]);
    const member = `/rooms/${encodeURIComponent(invited)}/state/m.room.member/${encodeURIComponent(eve.userId)}`;
    expect(await bob.call('GET', member)).toMatchObject({ membership: 'leave' });
    expect((await sync(eve)).invite).toEqual({});
  });
});

describe('purge over federation', () => {
  it('G1: a room is left, forgotten, and can be joined afresh without a restart', async () => {
    const roomId = await bob.createRoom({ preset: 'public_chat' });
    await joinVia(alice, roomId, there);
    await say(bob, roomId, 'before');
    await allDelivered(here, there);
    await administer(`purgeRoom/${encodeURIComponent(roomId)}`);
    await allDelivered(here, there);
    expect(await membersOf(bob, roomId)).toEqual([bob.userId]);
    expect(await alice.joinedRooms()).not.toContain(roomId);
    await say(bob, roomId, 'between');
    await allDelivered(here, there);
    await joinVia(alice, roomId, there);
    await say(bob, roomId, 'after');
    await allDelivered(here, there);
    await say(alice, roomId, 'answer');
    await allDelivered(here, there);
    expect(await texts(alice, roomId)).toEqual(['after', 'answer']);
    expect(await texts(bob, roomId)).toEqual(['before', 'between', 'after', 'answer']);
    expect(await membersOf(alice, roomId)).toEqual([alice.userId, bob.userId].sort());
  });
});

describe('invites between servers', () => {
  it('are refused by the server of a user who wants none, whatever way they come', async () => {
    const own = `/user/${encodeURIComponent(bob.userId)}/account_data/m.invite_permission_config`;
    await bob.call('PUT', own, { default_action: 'block' });
    const roomId = await alice.createRoom({ invite: [bob.userId] });
    const base = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
    const blocked = { status: 403, body: { errcode: 'M_INVITE_BLOCKED' } };
    const invite = { body: { user_id: bob.userId } };
    expect(await alice.request('POST', `${base}/invite`, invite)).toMatchObject(blocked);
    const member = `${base}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
    const content = { body: { membership: 'invite' } };
    expect(await alice.request('PUT', member, content)).toMatchObject(blocked);
    expect((await alice.request('GET', member)).status).toBe(404);
    await bob.call('PUT', own, {});
    expect((await alice.request('PUT', member, content)).status).toBe(200);
    expect(Object.keys((await sync(bob)).invite)).toContain(roomId);
  });

  it('are shown with what the room is called, and accepted', async () => {
    const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Secret garden' });
    await alice.invite(roomId, bob.userId);
    const shown = (await sync(bob)).invite[roomId] as {
      invite_state: { events: { type: string; content: object }[] };
    };
    const name = shown.invite_state.events.find(({ type }) => type === 'm.room.name');
    expect(name?.content).toEqual({ name: 'Secret garden' });
    await bob.join(roomId);
    await allDelivered(here, there);
    expect(await membersOf(alice, roomId)).toEqual([alice.userId, bob.userId].sort());
    expect(Object.keys((await sync(bob)).join)).toContain(roomId);
  });

  it('are made with the room, and can be turned down', async () => {
    const roomId = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
    expect(Object.keys((await sync(bob)).invite)).toContain(roomId);
    await bob.leave(roomId);
    await allDelivered(here, there);
    expect(Object.keys((await sync(bob)).invite)).not.toContain(roomId);
    const member = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
    expect(await alice.call('GET', member)).toMatchObject({ membership: 'leave' });
  });

  it('are refused by rooms that do not allow them, and of users that do not exist', async () => {
    const roomId = await alice.createRoom({ preset: 'private_chat' });
    const nobody = `@nobody:${there.serverName}`;
    const invite = { body: { user_id: nobody } };
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/invite`;
    expect((await alice.request('POST', path, invite)).status).toBe(404);
    const stranger = await here.register('stranger');
    expect((await stranger.request('POST', path, { body: { user_id: bob.userId } })).status).toBe(403);
  });
});

describe('aliases of other servers', () => {
  it('lead to their rooms, and to joins of them', async () => {
    const roomId = await bob.createRoom({ preset: 'public_chat', room_alias_name: 'lobby' });
    const alias = `#lobby:${there.serverName}`;
    const found = await alice.call('GET', `/directory/room/${encodeURIComponent(alias)}`);
    expect(found).toEqual({ room_id: roomId, servers: [there.serverName] });
    expect(await alice.call('POST', `/join/${encodeURIComponent(alias)}`, {})).toEqual({ room_id: roomId });
    const unknown = `/_matrix/client/v3/directory/room/${encodeURIComponent(`#no:${there.serverName}`)}`;
    expect((await alice.request('GET', unknown)).status).toBe(404);
  });
});
