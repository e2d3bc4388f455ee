import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { room, setState, sync } from './syncing.ts';

let world: World;
let alice: TestClient;
let bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  bob = await world.register('bob');
});
afterAll(() => world.stop());

const base = '/_matrix/client/v3';
const field = (client: TestClient, name = ''): string =>
  `/profile/${encodeURIComponent(client.userId)}${name === '' ? '' : `/${name}`}`;
const setName = (client: TestClient, displayname: unknown) =>
  client.call('PUT', field(client, 'displayname'), { displayname });

async function member(roomId: string, client: TestClient, of = client): Promise<Record<string, unknown>> {
  return client.call('GET', room(roomId, `/state/m.room.member/${encodeURIComponent(of.userId)}`));
}

async function memberEvents(roomId: string, userId: string): Promise<number> {
  const found = await sql<{ count: number }>`
    SELECT count(*) AS count FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} AND type = 'm.room.member' AND state_key = ${userId}
  `.execute(world.sql);
  return found.rows[0]?.count ?? 0;
}

let count = 0;

async function pending(): Promise<number> {
  const found = await sql`SELECT FROM roomserver_profile_updates`.execute(world.sql);
  return found.rows.length;
}

describe('a change of display name or avatar', () => {
  it('reaches every room that the user is joined to, and no other', async () => {
    const joined = await alice.createRoom({ preset: 'public_chat' });
    const left = await alice.createRoom();
    await alice.leave(left);
    const invited = await bob.createRoom({ invite: [alice.userId] });
    await bob.join(joined);
    const { next_batch: since } = await sync(bob);
    await setName(alice, 'Alice');
    await alice.call('PUT', field(alice, 'avatar_url'), { avatar_url: 'mxc://test.example/a' });
    await world.settled();
    const content = { membership: 'join', displayname: 'Alice', avatar_url: 'mxc://test.example/a' };
    expect(await member(joined, alice)).toEqual(content);
    expect((await member(left, alice))['displayname']).toBeUndefined();
    expect((await member(invited, bob, alice))['displayname']).toBeUndefined();
    const { rooms } = await sync(bob, { since });
    const told = rooms.join[joined]?.timeline.events.at(-1);
    expect(told).toMatchObject({ type: 'm.room.member', state_key: alice.userId, content });
    expect(await pending()).toBe(0);
  });

  it('makes no event when it is none, and empties what is emptied', async () => {
    const carol = await world.register('carol', { displayname: 'Carol' });
    const roomId = await carol.createRoom();
    await setName(carol, 'Carol');
    await world.settled();
    expect(await memberEvents(roomId, carol.userId)).toBe(1);
    await setName(carol, '');
    await world.settled();
    expect(await member(roomId, carol)).toEqual({ membership: 'join' });
    expect((await carol.request('GET', `${base}${field(carol, 'displayname')}`)).status).toBe(404);
    await setName(carol, 'C');
    await carol.call('DELETE', field(carol, 'displayname'));
    await world.settled();
    expect(await member(roomId, carol)).toEqual({ membership: 'join' });
  });

  it('does not take over what let the user into a restricted room', async () => {
    const dave = await world.register('dave');
    const space = await bob.createRoom({ preset: 'public_chat' });
    const restricted = await bob.createRoom();
    const allow = [{ type: 'm.room_membership', room_id: space }];
    await setState(bob, restricted, 'm.room.join_rules', { join_rule: 'restricted', allow });
    await dave.join(space);
    await dave.join(restricted);
    expect(await member(restricted, dave)).toHaveProperty('join_authorised_via_users_server');
    await setName(dave, 'Dave');
    await world.settled();
    expect(await member(restricted, dave)).toEqual({ membership: 'join', displayname: 'Dave' });
  });

  it('leaves all rooms with the last of many that come at once', async () => {
    const erin = await world.register('erin');
    const rooms = await Promise.all(Array.from({ length: 6 }, () => erin.createRoom()));
    await Promise.all(Array.from({ length: 12 }, (_, n) => setName(erin, `Erin ${n}`)));
    await world.settled();
    const { displayname } = await erin.call('GET', field(erin));
    for (const roomId of rooms) expect(await member(roomId, erin)).toMatchObject({ displayname });
  });

  it('is not stopped by a room that cannot be read', async () => {
    const frank = await world.register('frank');
    const rooms = await Promise.all(Array.from({ length: 3 }, () => frank.createRoom()));
    const [, damaged = ''] = rooms;
    await sql`
      UPDATE roomserver_events e SET json = 'no JSON' FROM roomserver_rooms r
      WHERE r.room_nid = e.room_nid AND r.room_id = ${damaged} AND e.type = 'm.room.create'
    `.execute(world.sql);
    await setName(frank, 'Frank');
    await world.settled();
    for (const roomId of rooms.filter((one) => one !== damaged)) {
      expect(await member(roomId, frank)).toMatchObject({ displayname: 'Frank' });
    }
  });

  it('goes on where a process that died had got to, and with nothing but the log to tell of it', async () => {
    const grace = await world.register('grace');
    const rooms: string[] = [];
    for (let n = 0; n < 3; n += 1) rooms.push(await grace.createRoom());
    // As if a process had died after the first room: the profile, the fact and the page are there, Redis knows nothing.
    await sql`UPDATE userapi_profiles SET displayname = 'Grace' WHERE user_id = ${grace.userId}`.execute(
      world.sql,
    );
    await sql`
      INSERT INTO roomserver_profile_updates (user_id, position, done_up_to, due_ts, attempts)
      SELECT ${grace.userId}, 1, room_nid, 0, 0 FROM roomserver_rooms WHERE room_id = ${rooms[0] ?? ''}
    `.execute(world.sql);
    await world.settled();
    const names = await Promise.all(rooms.map(async (one) => (await member(one, grace))['displayname']));
    expect(names).toEqual([undefined, 'Grace', 'Grace']);
    await sql`
      INSERT INTO userapi_output (position, fact, created_ts)
      SELECT nextval('userapi_output_position'), ${JSON.stringify({ kind: 'profile_changed', userId: grace.userId })}::jsonb, 0
    `.execute(world.sql);
    await world.settled();
    expect(await member(rooms[0] ?? '', grace)).toMatchObject({ displayname: 'Grace' });
  });
});

describe('other fields of a profile', () => {
  it('are set, read and deleted', async () => {
    await bob.call('PUT', field(bob, 'm.tz'), { 'm.tz': 'Europe/Lisbon' });
    await bob.call('PUT', field(bob, 'org.example.job'), { 'org.example.job': { title: ['ü', null, 1.5] } });
    await bob.call('PUT', field(bob, 'org.example.none'), { 'org.example.none': null });
    const whole = await world.request('GET', `${base}${field(bob)}`);
    expect(whole.body).toEqual({
      'm.tz': 'Europe/Lisbon',
      'org.example.job': { title: ['ü', null, 1.5] },
      'org.example.none': null,
    });
    expect(await bob.call('GET', field(bob, 'm.tz'))).toEqual({ 'm.tz': 'Europe/Lisbon' });
    for (let twice = 0; twice < 2; twice += 1) await bob.call('DELETE', field(bob, 'm.tz'));
    const gone = await bob.request('GET', `${base}${field(bob, 'm.tz')}`);
    expect(gone).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    const { capabilities } = await bob.call('GET', '/capabilities');
    expect(capabilities).toMatchObject({ 'm.profile_fields': { enabled: true } });
  });

  it.each([
    ['m.tz', {}, 400, 'M_MISSING_PARAM'],
    ['m.tz', { 'm.tz': 5 }, 400, 'M_BAD_JSON'],
    ['displayname', { displayname: 5 }, 400, 'M_BAD_JSON'],
    ['displayname', { displayname: 'a\0' }, 400, 'M_BAD_JSON'],
    ['displayname', {}, 400, 'M_MISSING_PARAM'],
    ['avatar_url', { avatar_url: 'x'.repeat(1001) }, 400, 'M_BAD_JSON'],
    ['nodot', { nodot: 1 }, 400, 'M_INVALID_PARAM'],
    ['Org.example', { 'Org.example': 1 }, 400, 'M_INVALID_PARAM'],
    ['__proto__', { a: 1 }, 400, 'M_INVALID_PARAM'],
    [`a.${'b'.repeat(260)}`, {}, 400, 'M_KEY_TOO_LARGE'],
    ['org.example.big', { 'org.example.big': 'x'.repeat(65_536) }, 400, 'M_PROFILE_TOO_LARGE'],
  ])('%s is refused', async (name, body, status, errcode) => {
    const carl = await world.register(`carl${(count += 1)}`);
    const answer = await carl.request('PUT', `${base}${field(carl, name)}`, { body });
    expect(answer).toMatchObject({ status, body: { errcode } });
    expect(await carl.call('GET', field(carl))).toEqual({});
  });

  it('row 16 (CVE-2022-31052): are refused when they are nested a hundred thousand levels deep', async () => {
    const deep = `{"org.example.deep": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const answer = await bob.request('PUT', `${base}${field(bob, 'org.example.deep')}`, { body: deep });
    expect(answer.status).toBe(400);
    expect((await bob.request('GET', `${base}${field(bob, 'org.example.deep')}`)).status).toBe(404);
  });

  it('are refused to others, before anything else is looked at', async () => {
    for (const method of ['PUT', 'DELETE']) {
      const path = `${base}${field(bob, 'm.tz')}`;
      expect((await world.request(method, path, { body: {} })).status).toBe(401);
      const answer = await alice.request(method, path, { body: { 'm.tz': 'UTC' } });
      expect(answer).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    }
  });
});
