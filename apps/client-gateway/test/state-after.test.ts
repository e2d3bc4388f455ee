import type { TestClient } from '@seneschal/testing';

import { openStage, roomOf, type Stage } from './stage.ts';
import { say, setState, type TestEvent, type TestTimeline } from './syncing.ts';

let stage: Stage;
openStage((opened) => (stage = opened));

interface Room {
  timeline: TestTimeline;
  state?: { events: TestEvent[] };
  state_after?: { events: TestEvent[] };
}

type Sections = Record<'join' | 'leave', Record<string, Room>>;

async function ask(client: TestClient, query: Record<string, string> = {}) {
  const answer = await client.request('GET', '/_matrix/client/v3/sync', { query });
  return answer.body as unknown as { next_batch: string; rooms: Sections };
}

const after = (client: TestClient, query: Record<string, string> = {}) =>
  ask(client, { use_state_after: 'true', ...query });

const topics = (events: readonly TestEvent[] = []): unknown[] =>
  events.filter(({ type }) => type === 'm.room.topic').map(({ content }) => content['topic']);

const short = JSON.stringify({ room: { timeline: { limit: 1 } } });

describe('use_state_after', () => {
  it('tells the state as of the end of the timeline, and never both', async () => {
    const { alice, bob } = stage;
    const roomId = await roomOf(alice, bob);
    await setState(alice, roomId, 'm.room.topic', { topic: 'new' });
    const whole = (await after(bob)).rooms.join[roomId]!;
    expect(whole.state).toBeUndefined();
    expect(topics(whole.timeline.events)).toEqual(['new']);
    expect(topics(whole.state_after?.events)).toEqual(['new']);
    expect(whole.state_after?.events.map(({ type }) => type)).toContain('m.room.create');
    const before = (await ask(bob, { use_state_after: 'false' })).rooms.join[roomId]!;
    expect(before.state_after).toBeUndefined();
    expect(topics(before.state?.events)).toEqual([]);
  });

  it('tells what changed since, once, whether or not the timeline has it', async () => {
    const { alice, bob } = stage;
    const roomId = await roomOf(alice, bob);
    const { next_batch: since } = await after(bob);
    await setState(alice, roomId, 'm.room.topic', { topic: 'one' });
    await setState(alice, roomId, 'm.room.topic', { topic: 'two' });
    await say(alice, roomId, 'hello');
    for (const filter of [short, '{}']) {
      const room = (await after(bob, { since, filter })).rooms.join[roomId]!;
      expect(topics(room.state_after?.events)).toEqual(['two']);
    }
    const quiet = await after(bob, { since });
    await say(alice, roomId, 'again');
    const room = (await after(bob, { since: quiet.next_batch })).rooms.join[roomId]!;
    expect(room.state_after).toEqual({ events: [] });
  });

  it('tells of memberships, with lazy loading those of the timeline', async () => {
    const { alice, bob, world } = stage;
    const roomId = await roomOf(alice, bob);
    const { next_batch: since } = await after(bob);
    const carol = await world.register('carol');
    await carol.join(roomId);
    const members = (room: Room): unknown[] =>
      (room.state_after?.events ?? [])
        .filter(({ type }) => type === 'm.room.member')
        .map((one) => one.state_key);
    expect(members((await after(bob, { since })).rooms.join[roomId]!)).toEqual([carol.userId]);
    const lazy = JSON.stringify({ room: { state: { lazy_load_members: true } } });
    const room = (await after(bob, { since, filter: lazy })).rooms.join[roomId]!;
    expect(members(room)).toContain(carol.userId);
  });

  it('holds for rooms that were left, up to the leave', async () => {
    const { alice, bob } = stage;
    const roomId = await roomOf(alice, bob);
    const { next_batch: since } = await after(bob);
    await setState(alice, roomId, 'm.room.topic', { topic: 'seen' });
    await bob.leave(roomId);
    await setState(alice, roomId, 'm.room.topic', { topic: 'unseen' });
    const room = (await after(bob, { since })).rooms.leave[roomId]!;
    expect(room.state).toBeUndefined();
    expect(topics(room.state_after?.events)).toEqual(['seen']);
    const own = room.state_after?.events.find(({ state_key: key }) => key === bob.userId);
    expect(own?.content).toMatchObject({ membership: 'leave' });
  });

  it('is true or false', async () => {
    const query = { use_state_after: 'yes' };
    const answer = await stage.bob.request('GET', '/_matrix/client/v3/sync', { query });
    expect(answer).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } });
  });
});

it('is of Matrix v1.18, and says what it can do', async () => {
  const { alice, world } = stage;
  const { body } = await world.request('GET', '/_matrix/client/versions');
  expect(body['versions']).toEqual(expect.arrayContaining(['v1.1', 'v1.11', 'v1.16', 'v1.18']));
  const { capabilities } = await alice.call('GET', '/capabilities');
  expect(capabilities).toMatchObject({
    'm.forget_forced_upon_leave': { enabled: false },
    'm.profile_fields': { enabled: true },
    'm.get_login_token': { enabled: true },
  });
});
