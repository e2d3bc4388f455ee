import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { setState } from './syncing.ts';

let world: World;
let alice: TestClient;
let bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  bob = await world.register('bob');
});
afterAll(() => world.stop());

interface ShownRoom {
  room_id: string;
  children_state: { state_key: string; origin_server_ts: number; content: object }[];
}

const path = (roomId: string): string => `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/hierarchy`;

const ask = (client: TestClient, roomId: string, query: Record<string, string | number> = {}) =>
  client.request('GET', path(roomId), { query });

async function tree(client: TestClient, roomId: string, query = {}): Promise<ShownRoom[]> {
  const { status, body, text } = await ask(client, roomId, query);
  if (status !== 200) throw new Error(text);
  return body['rooms'] as ShownRoom[];
}

const ids = (rooms: readonly ShownRoom[]): string[] => rooms.map(({ room_id: id }) => id);

const space = (options: object = {}): Promise<string> =>
  alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, ...options });

const open = (options: object = {}): Promise<string> =>
  alice.createRoom({ preset: 'public_chat', ...options });

async function put(parent: string, child: string, content: object = {}): Promise<void> {
  await setState(alice, parent, 'm.space.child', { via: ['test.example'], ...content }, child);
}

describe('the hierarchy of a space', () => {
  it('is walked depth first, in the order of the children, each room once although it loops', async () => {
    const [top, inner] = [await space({ name: 'Top', topic: 'All' }), await space()];
    const [a, b, c, d] = [await open(), await open(), await open(), await open()];
    await put(top, a);
    await put(top, b, { order: 'b' });
    await put(top, inner, { order: 'a' });
    await put(top, c, { order: 'not\u0000valid' });
    await put(inner, d);
    await put(inner, top);
    await put(d, c);
    const rooms = await tree(bob, top);
    expect(ids(rooms)).toEqual([top, inner, d, b, a, c]);
    expect(rooms[0]).toMatchObject({
      name: 'Top',
      topic: 'All',
      room_type: 'm.space',
      join_rule: 'public',
      num_joined_members: 1,
      world_readable: false,
      guest_can_join: false,
      room_version: '12',
    });
    expect(rooms[0]?.children_state.map(({ state_key: key }) => key)).toEqual([inner, b, a, c]);
    expect(typeof rooms[0]?.children_state[0]?.origin_server_ts).toBe('number');
    expect(rooms[2]?.children_state).toEqual([]);
  });

  it('comes in pages that fit together, and goes no deeper than asked', async () => {
    const top = await space();
    const inner = await space();
    await put(top, inner, { order: '0' });
    const children = [await open(), await open(), await open()];
    for (const [index, child] of children.entries()) await put(inner, child, { order: String(index) });
    const whole = ids(await tree(bob, top));
    expect(whole).toEqual([top, inner, ...children]);
    const paged: string[] = [];
    let from: string | undefined;
    do {
      const { body } = await ask(bob, top, { limit: 2, ...(from === undefined ? {} : { from }) });
      paged.push(...ids(body['rooms'] as ShownRoom[]));
      from = body['next_batch'] as string | undefined;
    } while (from !== undefined);
    expect(paged).toEqual(whole);
    expect(ids(await tree(bob, top, { max_depth: 1 }))).toEqual([top, inner]);
    expect(ids(await tree(bob, top, { max_depth: 0 }))).toEqual([top]);
  });

  it('is of suggested rooms alone when asked, and knows none that was taken out', async () => {
    const top = await space();
    const [yes, no, gone] = [await open(), await open(), await open()];
    await put(top, yes, { suggested: true });
    await put(top, no, { suggested: 'true' });
    await put(top, gone);
    await setState(alice, top, 'm.space.child', {}, gone);
    const suggested = await tree(bob, top, { suggested_only: 'true' });
    expect(ids(suggested)).toEqual([top, yes]);
    expect(suggested[0]?.children_state).toHaveLength(1);
    expect(ids(await tree(bob, top))).toEqual([top, yes, no]);
  });

  it('row 22 (CVE-2021-39163): shows what one may know of and nothing else', async () => {
    const top = await space();
    const secret = await alice.createRoom();
    const invited = await alice.createRoom({ invite: [bob.userId] });
    const knocking = await alice.createRoom();
    const readable = await alice.createRoom();
    const restricted = await alice.createRoom();
    const banned = await open();
    const rule = (join_rule: string, more = {}) => ({ join_rule, ...more });
    await setState(alice, knocking, 'm.room.join_rules', rule('knock'));
    await setState(alice, readable, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    const allow = [{ type: 'm.room_membership', room_id: top }];
    await setState(alice, restricted, 'm.room.join_rules', rule('restricted', { allow }));
    await alice.call('POST', `/rooms/${encodeURIComponent(banned)}/ban`, { user_id: bob.userId });
    const all = [secret, invited, knocking, readable, restricted, banned];
    for (const [index, child] of all.entries()) await put(top, child, { order: String(index) });
    expect(ids(await tree(alice, top))).toEqual([top, ...all]);
    expect(ids(await tree(bob, top))).toEqual([top, invited, knocking, readable]);
    await bob.join(top);
    const asMember = await tree(bob, top);
    expect(ids(asMember)).toEqual([top, invited, knocking, readable, restricted]);
    expect(asMember.at(-1)).toMatchObject({ join_rule: 'restricted', allowed_room_ids: [top] });
    expect(await ask(bob, secret)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  });

  it('is not stopped by a room that cannot be read, nor by one that is not here', async () => {
    const top = await space();
    const [damaged, fine] = [await open(), await open()];
    await put(top, damaged, { order: '1' });
    await put(top, '!elsewhere:other.example', { order: '2' });
    await put(top, fine, { order: '3' });
    await sql`
      UPDATE roomserver_events e SET json = 'no JSON' FROM roomserver_rooms r
      WHERE r.room_nid = e.room_nid AND r.room_id = ${damaged} AND e.type <> 'm.room.create'
    `.execute(world.sql);
    expect(ids(await tree(bob, top))).toEqual([top, fine]);
  });

  it.each([
    [{ from: 'x' }, 400, 'M_INVALID_PARAM'],
    [{ from: 'h1_5_0' }, 400, 'M_INVALID_PARAM'],
    [{ limit: 0 }, 400, 'M_INVALID_PARAM'],
    [{ limit: -1 }, 400, 'M_INVALID_PARAM'],
    [{ max_depth: 'deep' }, 400, 'M_INVALID_PARAM'],
    [{ suggested_only: 'yes' }, 400, 'M_INVALID_PARAM'],
  ])('%j is refused', async (query, status, errcode) => {
    expect(await ask(bob, await space(), query)).toMatchObject({ status, body: { errcode } });
  });

  it('is refused to strangers and of rooms that are not there, alike', async () => {
    const answers = await Promise.all(
      [await alice.createRoom(), '!nowhere:test.example'].map((roomId) => ask(bob, roomId)),
    );
    expect(answers[0]).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    expect((await world.request('GET', path('!x:test.example'))).status).toBe(401);
  });
});

describe('the summary of a room', () => {
  const summary = (client: TestClient, room: string) =>
    client.request('GET', `/_matrix/client/v1/room_summary/${encodeURIComponent(room)}`);

  it('is found by ID and alias, with what the user is in it', async () => {
    const roomId = await open({ name: 'Lobby', room_alias_name: 'lobby' });
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    const told = { room_id: roomId, name: 'Lobby', encryption: 'm.megolm.v1.aes-sha2' };
    expect((await summary(alice, roomId)).body).toMatchObject({ ...told, membership: 'join' });
    const stranger = await summary(bob, '#lobby:test.example');
    expect(stranger.body).toMatchObject(told);
    expect(stranger.body).not.toHaveProperty('membership');
  });

  it('is no way to find out about rooms', async () => {
    const secret = await alice.createRoom();
    const answers = await Promise.all([secret, '!none:test.example'].map((room) => summary(bob, room)));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
  });
});
