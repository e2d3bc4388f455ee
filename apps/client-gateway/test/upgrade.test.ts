import { startWorld, type TestAnswer, type TestClient, type World } from '@seneschal/testing';

import { room, say, setState, sync } from './syncing.ts';

let world: World;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice', { displayname: 'Alice' });
  bob = await world.register('bob');
});
afterAll(() => world.stop());

const upgrade = (client: TestClient, roomId: string, body: object): Promise<TestAnswer> =>
  client.request('POST', `/_matrix/client/v3${room(roomId, '/upgrade')}`, { body });

async function upgraded(roomId: string, version: string, more: object = {}): Promise<string> {
  const answer = await upgrade(alice, roomId, { new_version: version, ...more });
  expect(answer.status).toBe(200);
  return answer.body['replacement_room'] as string;
}

async function stateOf(
  roomId: string,
  type: string,
  stateKey = '',
): Promise<Record<string, unknown> | undefined> {
  const path = room(roomId, `/state/${type}/${encodeURIComponent(stateKey)}`);
  const answer = await alice.request('GET', `/_matrix/client/v3${path}`);
  return answer.status === 200 ? answer.body : undefined;
}

const status = ({ status: code, body }: TestAnswer): unknown[] => [code, body['errcode']];

describe.each([
  ['1', '12'],
  ['5', '9'],
  ['9', '10'],
  ['10', '11'],
  ['11', '12'],
  ['12', '11'],
  ['12', '1'],
  ['12', '12'],
])('an upgrade from version %s to %s', (from, to) => {
  it('makes a new room with the state of the old one, and closes that', async () => {
    const roomId = await alice.createRoom({
      room_version: from,
      preset: 'public_chat',
      name: 'Hall',
      topic: 'Moby',
      creation_content: { type: 'm.custom' },
      power_level_content_override: { users_default: 3, kick: 60 },
    });
    await bob.join(roomId);
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    await setState(alice, roomId, 'org.example.custom', { keep: false });
    const lastEvent = await say(alice, roomId, 'last');
    const successor = await upgraded(roomId, to);
    expect(successor).not.toBe(roomId);
    expect(await stateOf(successor, 'm.room.create')).toMatchObject({
      room_version: to,
      type: 'm.custom',
      predecessor: { room_id: roomId, event_id: lastEvent },
    });
    expect(await stateOf(successor, 'm.room.name')).toEqual({ name: 'Hall' });
    expect(await stateOf(successor, 'm.room.topic')).toMatchObject({ topic: 'Moby' });
    expect(await stateOf(successor, 'm.room.join_rules')).toEqual({ join_rule: 'public' });
    expect(await stateOf(successor, 'm.room.encryption')).toEqual({ algorithm: 'm.megolm.v1.aes-sha2' });
    expect(await stateOf(successor, 'org.example.custom')).toBeUndefined();
    expect(await stateOf(successor, 'm.room.member', bob.userId)).toBeUndefined();
    expect(await stateOf(successor, 'm.room.member', alice.userId)).toMatchObject({ displayname: 'Alice' });
    const levels = await stateOf(successor, 'm.room.power_levels');
    expect(levels).toMatchObject({
      users_default: 3,
      kick: 60,
      users: to === '12' ? {} : { [alice.userId]: from === '12' ? 150 : 100 },
    });
    if (to === '12')
      expect(levels?.['events']).toMatchObject({ 'm.room.tombstone': from === '12' ? 150 : 100 });
    await bob.join(successor);
    await say(bob, successor, 'here');
    expect(await stateOf(roomId, 'm.room.tombstone')).toMatchObject({ replacement_room: successor });
    expect(await stateOf(roomId, 'm.room.power_levels')).toMatchObject({ events_default: 50, invite: 50 });
    const late = await bob.request('PUT', `/_matrix/client/v3${room(roomId, '/send/m.room.message/late')}`, {
      body: { body: 'late' },
    });
    expect(status(late)).toEqual([403, 'M_FORBIDDEN']);
  });
});

describe('upgrades', () => {
  it('move aliases and the place in the directory', async () => {
    const roomId = await alice.createRoom({
      visibility: 'public',
      room_alias_name: 'hall',
      room_version: '9',
    });
    const successor = await upgraded(roomId, '12');
    const alias = `#hall:${world.serverName}`;
    expect(await alice.call('GET', `/directory/room/${encodeURIComponent(alias)}`)).toMatchObject({
      room_id: successor,
    });
    expect(await stateOf(successor, 'm.room.canonical_alias')).toEqual({ alias });
    expect(await stateOf(roomId, 'm.room.canonical_alias')).toEqual({});
    const visibility = (id: string) => alice.call('GET', `/directory/list/room/${encodeURIComponent(id)}`);
    expect(await visibility(successor)).toEqual({ visibility: 'public' });
    expect(await visibility(roomId)).toEqual({ visibility: 'private' });
  });

  it('give further creators in version 12 alone, and keep none unasked', async () => {
    const more = { additional_creators: [bob.userId, alice.userId] };
    const create = async (roomId: string) => stateOf(roomId, 'm.room.create');
    const roomId = await alice.createRoom({ room_version: '11' });
    const first = await upgraded(roomId, '12', more);
    expect((await create(first))?.['additional_creators']).toEqual([bob.userId]);
    const second = await upgraded(first, '11', more);
    expect(await create(second)).not.toHaveProperty('additional_creators');
    expect(await stateOf(second, 'm.room.power_levels')).toMatchObject({
      users: { [alice.userId]: 100, [bob.userId]: 100 },
    });
    expect(await create(await upgraded(second, '12'))).not.toHaveProperty('additional_creators');
  });

  it('narrow a join rule that the new version does not know', async () => {
    const rule = async (content: object, to: string): Promise<unknown> => {
      const initial = [{ type: 'm.room.join_rules', content }];
      const roomId = await alice.createRoom({ room_version: '10', initial_state: initial });
      return stateOf(await upgraded(roomId, to), 'm.room.join_rules');
    };
    const allow = [{ type: 'm.room_membership', room_id: '!other:here' }];
    expect(await rule({ join_rule: 'knock_restricted', allow }, '11')).toEqual({
      join_rule: 'knock_restricted',
      allow,
    });
    expect(await rule({ join_rule: 'knock_restricted', allow }, '9')).toEqual({
      join_rule: 'restricted',
      allow,
    });
    expect(await rule({ join_rule: 'restricted', allow }, '7')).toEqual({ join_rule: 'invite' });
    expect(await rule({ join_rule: 'knock' }, '6')).toEqual({ join_rule: 'invite' });
  });

  it('take the rooms of a space along', async () => {
    const space = await alice.createRoom({ room_version: '11', creation_content: { type: 'm.space' } });
    await setState(alice, space, 'm.space.child', { via: ['here'] }, '!child:here');
    await setState(alice, space, 'm.space.child', {}, '!removed:here');
    const successor = await upgraded(space, '12');
    expect(await stateOf(successor, 'm.space.child', '!child:here')).toEqual({ via: ['here'] });
    expect(await stateOf(successor, 'm.space.child', '!removed:here')).toBeUndefined();
  });

  it('asked for twice, or twice at once, answer one replacement', async () => {
    const roomId = await alice.createRoom({ room_version: '9' });
    const [one, two] = await Promise.all([upgraded(roomId, '12'), upgraded(roomId, '12')]);
    expect(two).toBe(one);
    expect(await upgraded(roomId, '12')).toBe(one);
    expect((await alice.joinedRooms()).filter((id) => id === one)).toHaveLength(1);
    expect(await upgraded(roomId, '11')).not.toBe(one);
  });

  it('reach those who sync, in both rooms', async () => {
    const roomId = await alice.createRoom({ room_version: '11' });
    const { next_batch: since } = await sync(alice);
    const successor = await upgraded(roomId, '12');
    const { join } = (await sync(alice, { since })).rooms;
    expect(join[roomId]?.timeline.events.map(({ type }) => type)).toContain('m.room.tombstone');
    expect(join[successor]?.timeline.events.map(({ type }) => type)).toContain('m.room.create');
  });
});

describe('an upgrade is refused, and changes nothing,', () => {
  const unchanged = async (roomId: string): Promise<void> => {
    expect(await stateOf(roomId, 'm.room.tombstone')).toBeUndefined();
  };

  it.each<[object, string]>([
    [{ new_version: '13' }, 'M_UNSUPPORTED_ROOM_VERSION'],
    [{ new_version: 12 }, 'M_BAD_JSON'],
    [{}, 'M_BAD_JSON'],
    [{ new_version: '12', additional_creators: 'x' }, 'M_BAD_JSON'],
    [{ new_version: '12', additional_creators: ['bob'] }, 'M_BAD_JSON'],
  ])('for %j', async (body, errcode) => {
    const roomId = await alice.createRoom();
    const answer = await upgrade(alice, roomId, body);
    expect([answer.status, ['M_MISSING_PARAM', errcode]]).toEqual([400, expect.arrayContaining([errcode])]);
    expect([errcode, 'M_MISSING_PARAM', 'M_INVALID_PARAM']).toContain(answer.body['errcode']);
    await unchanged(roomId);
  });

  it('for one who lacks the level, is not in the room, or has no token, and in no room', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    const body = { new_version: '12' };
    expect(status(await upgrade(bob, roomId, body))).toEqual([403, 'M_FORBIDDEN']);
    await bob.join(roomId);
    expect(status(await upgrade(bob, roomId, body))).toEqual([403, 'M_FORBIDDEN']);
    expect(status(await upgrade(bob, '!none:here', body))).toEqual([403, 'M_FORBIDDEN']);
    const path = `/_matrix/client/v3${room(roomId, '/upgrade')}`;
    expect(status(await world.request('POST', path, { body }))).toEqual([401, 'M_MISSING_TOKEN']);
    await unchanged(roomId);
  });
});
