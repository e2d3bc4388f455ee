import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { room, said, say, setState, sync, type TestEvent } from './syncing.ts';

let world: World;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  world = await startWorld({ logLevel: 'warn' });
  alice = await world.register('alice', { displayname: 'Alice' });
  bob = await world.register('bob');
});
afterAll(() => world.stop());

const names = (events: readonly TestEvent[]): string[] =>
  events.map(({ type, state_key: key }) => (key === undefined || key === '' ? type : `${type} ${key}`));

async function pair(body: object = {}): Promise<string> {
  const roomId = await alice.createRoom({ preset: 'public_chat', ...body });
  await bob.join(roomId);
  return roomId;
}

describe('a first sync', () => {
  it('tells a joined room with state up to its timeline', async () => {
    const roomId = await pair({ name: 'Hall' });
    await say(alice, roomId, 'one');
    await say(bob, roomId, 'two');
    const joined = (await sync(bob, { filter: { room: { timeline: { limit: 2 } } } })).rooms.join[roomId];
    expect(said(joined!.timeline.events)).toEqual(['one', 'two']);
    expect(joined!.timeline.limited).toBe(true);
    expect(names(joined!.state.events)).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.name', `m.room.member ${bob.userId}`]),
    );
    expect(joined!.summary).toEqual({ 'm.joined_member_count': 2, 'm.invited_member_count': 0 });
    expect(joined!.timeline.events.every((event) => event.room_id === undefined)).toBe(true);
  });

  it('tells no event twice, in timeline and state', async () => {
    const roomId = await pair();
    const { timeline, state, summary } = (await sync(alice)).rooms.join[roomId]!;
    const ids = [...timeline.events, ...state.events].map((event) => event.event_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(7);
    expect(timeline.limited).toBe(false);
    expect(summary['m.heroes']).toEqual([bob.userId]);
  });

  it('knows rooms that were left only when asked for them', async () => {
    const roomId = await pair();
    await bob.leave(roomId);
    await setState(alice, roomId, 'm.room.name', { name: 'after' });
    expect((await sync(bob)).rooms.leave[roomId]).toBeUndefined();
    const left = (await sync(bob, { filter: { room: { include_leave: true } } })).rooms.leave[roomId]!;
    expect(names([...left.timeline.events].slice(-1))).toEqual([`m.room.member ${bob.userId}`]);
    expect(names([...left.timeline.events, ...left.state.events])).not.toContain('m.room.name');
  });
});

describe('the next sync', () => {
  it('has only what is new, and nothing when nothing is', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    await say(alice, roomId, 'hello');
    const second = await sync(bob, { since });
    expect(said(second.rooms.join[roomId]!.timeline.events)).toEqual(['hello']);
    expect(second.rooms.join[roomId]!.state.events).toEqual([]);
    expect(second.rooms.join[roomId]!.timeline.limited).toBe(false);
    const third = await sync(bob, { since: second.next_batch });
    expect(third.rooms).toEqual({ join: {}, invite: {}, knock: {}, leave: {} });
  });

  it('fills a gap with the state that changed in it', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    await setState(alice, roomId, 'm.room.topic', { topic: 'first' });
    await setState(alice, roomId, 'm.room.topic', { topic: 'second' });
    await say(alice, roomId, 'one');
    await say(alice, roomId, 'two');
    const filter = { room: { timeline: { limit: 1 } } };
    const joined = (await sync(bob, { since, filter })).rooms.join[roomId]!;
    expect(said(joined.timeline.events)).toEqual(['two']);
    expect(joined.timeline.limited).toBe(true);
    expect(joined.state.events.map((event) => event.content)).toEqual([{ topic: 'second' }]);
    const from = { dir: 'b', from: joined.timeline.prev_batch };
    const path = `/_matrix/client/v3${room(roomId, '/messages')}`;
    const { chunk } = (await bob.request('GET', path, { query: from })).body as { chunk: TestEvent[] };
    expect(said(chunk)[0]).toBe('one');
  });

  it('has all state when asked for full state', async () => {
    const roomId = await pair({ topic: 'old' });
    const { next_batch: since } = await sync(bob);
    const joined = (await sync(bob, { since, full_state: true })).rooms.join[roomId]!;
    expect(names(joined.state.events)).toContain('m.room.topic');
    expect(joined.timeline.events).toEqual([]);
  });

  it('shows a new room whole', async () => {
    const { next_batch: since } = await sync(bob);
    const roomId = await pair();
    const joined = (await sync(bob, { since, filter: { room: { timeline: { limit: 1 } } } })).rooms.join[
      roomId
    ]!;
    expect(names(joined.timeline.events)).toEqual([`m.room.member ${bob.userId}`]);
    expect(names(joined.state.events)).toContain('m.room.create');
    expect(joined.timeline.limited).toBe(true);
  });

  it('shows a room that the user came back to, with all state and no event twice', async () => {
    const roomId = await pair();
    await bob.leave(roomId);
    const { next_batch: since } = await sync(bob);
    await say(alice, roomId, 'meanwhile');
    await bob.join(roomId);
    const joined = (await sync(bob, { since })).rooms.join[roomId]!;
    expect(names(joined.state.events)).toContain('m.room.create');
    expect(said(joined.timeline.events)).toEqual(['meanwhile']);
    expect(joined.timeline.limited).toBe(true);
  });
});

describe('invites, knocks and leaving', () => {
  it('shows an invite with stripped state, then that it was turned down', async () => {
    const { next_batch: since } = await sync(bob);
    const roomId = await alice.createRoom({ name: 'Secret', invite: [bob.userId] });
    const invited = await sync(bob, { since });
    const state = invited.rooms.invite[roomId]!.invite_state.events;
    expect(names(state)).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.name', `m.room.member ${bob.userId}`]),
    );
    expect(state.some((event) => 'event_id' in event)).toBe(false);
    await bob.leave(roomId);
    const declined = await sync(bob, { since: invited.next_batch });
    expect(declined.rooms.invite).toEqual({});
    const left = declined.rooms.leave[roomId]!;
    expect(names(left.timeline.events).at(-1)).toBe(`m.room.member ${bob.userId}`);
    expect(left.state.events).toEqual([]);
    expect(names(left.timeline.events)).not.toContain('m.room.name');
  });

  it('shows a knock', async () => {
    const roomId = await alice.createRoom({
      initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
    });
    const { next_batch: since } = await sync(bob);
    await bob.call('POST', `/knock/${encodeURIComponent(roomId)}`, {});
    const { knock } = (await sync(bob, { since })).rooms;
    expect(names(knock[roomId]!.knock_state.events)).toContain('m.room.join_rules');
  });

  it('tells who was kicked or banned, and nothing of afterwards', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    await say(alice, roomId, 'before');
    await alice.call('POST', room(roomId, '/ban'), { user_id: bob.userId, reason: 'tired' });
    await say(alice, roomId, 'after');
    await setState(alice, roomId, 'm.room.topic', { topic: 'after' });
    const second = await sync(bob, { since });
    const left = second.rooms.leave[roomId]!;
    expect(said(left.timeline.events)).toEqual(['before']);
    expect(left.timeline.events.at(-1)!.content).toMatchObject({ membership: 'ban', reason: 'tired' });
    expect(left.state.events).toEqual([]);
    await say(alice, roomId, 'later');
    expect((await sync(bob, { since: second.next_batch })).rooms.leave).toEqual({});
    await alice.call('POST', room(roomId, '/unban'), { user_id: bob.userId });
    const third = await sync(bob, { since: second.next_batch });
    expect(names(third.rooms.leave[roomId]!.timeline.events)).toEqual([`m.room.member ${bob.userId}`]);
  });

  it('never shows a forgotten room', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    await bob.leave(roomId);
    await bob.call('POST', room(roomId, '/forget'), {});
    const filter = { room: { include_leave: true } };
    expect((await sync(bob, { since })).rooms.leave[roomId]).toBeUndefined();
    expect((await sync(bob, { filter })).rooms.leave[roomId]).toBeUndefined();
  });

  it('hides what was said before joining where history is for the joined', async () => {
    const roomId = await alice.createRoom({
      preset: 'public_chat',
      initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }],
    });
    await say(alice, roomId, 'private');
    await bob.join(roomId);
    await say(alice, roomId, 'welcome');
    const joined = (await sync(bob)).rooms.join[roomId]!;
    expect(said(joined.timeline.events)).toEqual(['welcome']);
    expect(names(joined.timeline.events)[0]).toBe(`m.room.member ${bob.userId}`);
    expect(names(joined.state.events)).toContain('m.room.history_visibility');
  });
});

describe('filters', () => {
  it('are stored once for the same content', async () => {
    const path = `/user/${encodeURIComponent(bob.userId)}/filter`;
    const filter = { room: { timeline: { limit: 1, types: ['m.room.m*'] } } };
    const first = await bob.call('POST', path, filter);
    expect(await bob.call('POST', path, filter)).toEqual(first);
    const id = first['filter_id'] as string;
    expect(await bob.call('GET', `${path}/${id}`)).toEqual(filter);
    const roomId = await pair();
    await say(alice, roomId, 'x');
    const joined = (await sync(bob, { filter: id })).rooms.join[roomId]!;
    expect(said(joined.timeline.events)).toEqual(['x']);
    expect((await alice.request('GET', `/_matrix/client/v3${path}/${id}`)).status).toBe(403);
    expect((await bob.request('GET', `/_matrix/client/v3${path}/99999`)).status).toBe(404);
  });

  it('load members lazily', async () => {
    const roomId = await pair({ name: 'Lazy' });
    await say(alice, roomId, 'x');
    const filter = { room: { timeline: { limit: 1 }, state: { lazy_load_members: true } } };
    const carol = await world.register('carol');
    await carol.join(roomId);
    await say(alice, roomId, 'y');
    const { state } = (await sync(bob, { filter })).rooms.join[roomId]!;
    const members = state.events.filter(({ type }) => type === 'm.room.member');
    expect(members.map((event) => event.state_key).sort()).toEqual([alice.userId, bob.userId]);
  });

  it('choose rooms, senders and types', async () => {
    const [one, two] = [await pair(), await pair()];
    await say(alice, one, 'from alice');
    await say(bob, one, 'from bob');
    const filter = {
      room: { not_rooms: [two], timeline: { senders: [alice.userId], types: ['m.room.message'] } },
    };
    const { join } = (await sync(bob, { filter })).rooms;
    expect(join[two]).toBeUndefined();
    expect(said(join[one]!.timeline.events)).toEqual(['from alice']);
    expect(names(join[one]!.timeline.events)).toEqual(['m.room.message']);
    expect(names(join[one]!.state.events)).toContain(`m.room.member ${bob.userId}`);
  });

  it.each([
    ['since', 'x1', 'M_INVALID_PARAM'],
    ['filter', '{"room":', 'M_NOT_JSON'],
    ['filter', '{"room":7}', 'M_BAD_JSON'],
    ['filter', '12345', 'M_INVALID_PARAM'],
    ['timeout', '-1', 'M_INVALID_PARAM'],
  ])('refuse %s=%s', async (name, value, errcode) => {
    const answer = await bob.request('GET', '/_matrix/client/v3/sync', { query: { [name]: value } });
    expect(answer).toMatchObject({ status: 400, body: { errcode } });
  });
});

describe('what else a sync tells', () => {
  it('account data of the user and of rooms', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    const own = `/user/${encodeURIComponent(bob.userId)}`;
    await bob.call('PUT', `${own}/account_data/org.example.a`, { a: 1 });
    await bob.call('PUT', `${own}${room(roomId, '/account_data/org.example.b')}`, { b: 2 });
    const answer = await sync(bob, { since });
    expect(answer.account_data.events).toEqual([{ type: 'org.example.a', content: { a: 1 } }]);
    expect(answer.rooms.join[roomId]!.account_data.events).toEqual([
      { type: 'org.example.b', content: { b: 2 } },
    ]);
  });

  it('whose devices changed in shared rooms, and who came or went in encrypted ones', async () => {
    const encryption = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    const roomId = await alice.createRoom({ preset: 'public_chat', initial_state: [encryption] });
    const dora = await world.register('dora');
    const { next_batch: first } = await sync(alice);
    await dora.join(roomId);
    const met = await sync(alice, { since: first });
    expect(met.device_lists).toEqual({ changed: [dora.userId], left: [] });
    await dora.leave(roomId);
    const parted = await sync(alice, { since: met.next_batch });
    expect(parted.device_lists).toEqual({ changed: [], left: [dora.userId] });
    const query = { from: first, to: parted.next_batch };
    const changes = await alice.request('GET', '/_matrix/client/v3/keys/changes', { query });
    expect(changes.body).toEqual({ changed: [], left: [dora.userId] });
  });

  it('the transaction ID to the device that sent an event, and to no other', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    await bob.call('PUT', room(roomId, '/send/m.room.message/mine'), { body: 'x' });
    const own = (await sync(bob, { since })).rooms.join[roomId]!.timeline.events[0]!;
    expect(own.unsigned!['transaction_id']).toBe('mine');
    const other = (await sync(alice, { since })).rooms.join[roomId]!.timeline.events[0]!;
    expect(other.unsigned!['transaction_id']).toBeUndefined();
  });

  it('a room with a damaged event: the rest of it', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(bob);
    const bad = await say(alice, roomId, 'bad');
    await say(alice, roomId, 'good');
    await sql`UPDATE roomserver_events SET json = 'x' || json WHERE event_id = ${bad}`.execute(world.sql);
    const { timeline } = (await sync(bob, { since })).rooms.join[roomId]!;
    expect(said(timeline.events)).toEqual(['good']);
    expect(world.logs.join('')).toContain(bad);
  });
});
