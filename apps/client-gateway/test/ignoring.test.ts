import { startWorld, type TestClient, type World } from '@seneschal/testing';

import { room, said, say, setState, sync, type TestEvent } from './syncing.ts';

let world: World;
let alice: TestClient;
let bob: TestClient;
let mallory: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  bob = await world.register('bob');
  mallory = await world.register('mallory');
});
afterAll(() => world.stop());

const ignore = (client: TestClient, ...users: TestClient[]) =>
  client.call('PUT', `/user/${encodeURIComponent(client.userId)}/account_data/m.ignored_user_list`, {
    ignored_users: Object.fromEntries(users.map(({ userId }) => [userId, {}])),
  });

async function shared(): Promise<string> {
  const roomId = await bob.createRoom({ preset: 'public_chat' });
  for (const client of [alice, mallory]) await client.join(roomId);
  return roomId;
}

const reply = (client: TestClient, roomId: string, root: string, body: string, relType = 'm.thread') =>
  client.call('PUT', room(roomId, `/send/m.room.message/${client.userId}${body.length}${root.slice(1, 9)}`), {
    msgtype: 'm.text',
    body,
    'm.relates_to': { rel_type: relType, event_id: root },
  });

const bodies = (answer: Record<string, unknown>, key = 'chunk'): unknown[] =>
  said(answer[key] as TestEvent[]);

describe('an ignored user', () => {
  afterEach(() => ignore(alice));

  it('says nothing in sync, but sets state, and is heard again afterwards', async () => {
    const roomId = await shared();
    const first = await sync(alice);
    await ignore(alice, mallory);
    await say(mallory, roomId, 'spam');
    await setState(bob, roomId, 'm.room.power_levels', {
      users: { [mallory.userId]: 50 },
    });
    await setState(mallory, roomId, 'm.room.topic', { topic: 'by mallory' });
    await say(bob, roomId, 'news');
    const after = await sync(alice, { since: first.next_batch });
    const { timeline } = after.rooms.join[roomId]!;
    expect(said(timeline.events)).toEqual(['news']);
    expect(timeline.events.map(({ type }) => type)).toContain('m.room.topic');
    expect(timeline.limited).toBe(false);
    expect(said((await sync(bob)).rooms.join[roomId]!.timeline.events)).toEqual(['spam', 'news']);
    await ignore(alice);
    await say(mallory, roomId, 'sorry');
    const later = await sync(alice, { since: after.next_batch });
    expect(said(later.rooms.join[roomId]!.timeline.events)).toEqual(['sorry']);
    expect(said((await sync(alice)).rooms.join[roomId]!.timeline.events)).toContain('spam');
  });

  it('is in no page of messages, context, relations or threads, and counts in no aggregation', async () => {
    const roomId = await shared();
    const root = await say(bob, roomId, 'root');
    await reply(mallory, roomId, root, 'spam');
    await reply(bob, roomId, root, 'answer');
    const other = await say(mallory, roomId, 'more spam');
    await ignore(alice, mallory);
    const messages = await alice.call('GET', room(roomId, '/messages?dir=b&limit=50'));
    expect(bodies(messages).sort()).toEqual(['answer', 'root']);
    const context = await alice.call('GET', room(roomId, `/context/${root}?limit=20`));
    expect(bodies(context, 'events_after')).toEqual(['answer']);
    const base = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}`;
    const relations = await alice.request('GET', `${base}/relations/${root}`);
    expect(bodies(relations.body)).toEqual(['answer']);
    const [thread] = (await alice.request('GET', `${base}/threads`)).body['chunk'] as TestEvent[];
    const bundle = (thread?.unsigned?.['m.relations'] as Record<string, unknown>)['m.thread'];
    expect(bundle).toMatchObject({ count: 1, latest_event: { content: { body: 'answer' } } });
    await expect(alice.call('GET', room(roomId, `/event/${other}`))).resolves.toHaveProperty('event_id');
    const everything = await bob.call('GET', room(roomId, '/messages?dir=b&limit=50'));
    expect(bodies(everything)).toHaveLength(4);
  });

  it('is not found by search, and notifies of nothing', async () => {
    const roomId = await shared();
    const { next_batch: since } = await sync(alice);
    await say(mallory, roomId, 'haystack spam');
    await say(bob, roomId, 'haystack news');
    await world.settled();
    await ignore(alice, mallory);
    const found = await alice.call('POST', '/search', {
      search_categories: { room_events: { search_term: 'haystack' } },
    });
    const { results } = (found['search_categories'] as { room_events: { results: { result: TestEvent }[] } })
      .room_events;
    expect(results.map(({ result }) => result.content['body'])).toEqual(['haystack news']);
    const counted = await sync(alice, { since });
    expect(counted.rooms.join[roomId]!.unread_notifications).toMatchObject({ notification_count: 1 });
    await ignore(alice);
    await say(bob, roomId, 'more');
    const recounted = await sync(alice, { since });
    expect(recounted.rooms.join[roomId]!.unread_notifications).toMatchObject({ notification_count: 3 });
  });

  it('does not show reading or typing, nor wakes anybody by reading', async () => {
    const roomId = await shared();
    const eventId = await say(bob, roomId, 'read me');
    await ignore(alice, mallory);
    const { next_batch: since } = await sync(alice);
    await mallory.call('POST', room(roomId, `/receipt/m.read/${eventId}`), {});
    expect((await sync(alice, { since })).rooms.join).toEqual({});
    await bob.call('POST', room(roomId, `/receipt/m.read/${eventId}`), {});
    for (const client of [mallory, bob]) {
      await client.call('PUT', room(roomId, `/typing/${client.userId}`), { typing: true, timeout: 60_000 });
    }
    for (const answer of [await sync(alice, { since }), await sync(alice)]) {
      const { events } = answer.rooms.join[roomId]!.ephemeral;
      expect(events).toHaveLength(2);
      expect(JSON.stringify(events)).not.toContain(mallory.userId);
      expect(events.find(({ type }) => type === 'm.typing')?.content).toEqual({ user_ids: [bob.userId] });
    }
    const seen = (await sync(bob)).rooms.join[roomId]!.ephemeral.events;
    expect(JSON.stringify(seen)).toContain(mallory.userId);
    await ignore(alice);
    const again = (await sync(alice)).rooms.join[roomId]!.ephemeral.events;
    expect(JSON.stringify(again)).toContain(mallory.userId);
  });

  it('invites to nothing, until no longer ignored', async () => {
    const { next_batch: since } = await sync(alice);
    await ignore(alice, mallory);
    const bad = await mallory.createRoom({ invite: [alice.userId] });
    const good = await bob.createRoom({ invite: [alice.userId] });
    expect(Object.keys((await sync(alice, { since })).rooms.invite)).toEqual([good]);
    expect(Object.keys((await sync(alice)).rooms.invite)).toEqual([good]);
    await ignore(alice);
    expect(Object.keys((await sync(alice)).rooms.invite).sort()).toEqual([bad, good].sort());
  });

  it.each([
    ['is no object', 'x'],
    ['is a list', []],
    ['names nobody', { bob: {} }],
  ])('there is none in a list that %s', async (_, ignored_users) => {
    const roomId = await shared();
    const path = `/user/${encodeURIComponent(alice.userId)}/account_data/m.ignored_user_list`;
    await alice.call('PUT', path, { ignored_users });
    await say(bob, roomId, 'heard');
    await ignore(alice, alice);
    await say(alice, roomId, 'by oneself');
    const { timeline } = (await sync(alice)).rooms.join[roomId]!;
    expect(said(timeline.events)).toEqual(['heard', 'by oneself']);
  });
});
