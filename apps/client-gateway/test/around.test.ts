import type { TestClient, World } from '@seneschal/testing';
import { sql } from 'kysely';

import { openStage } from './stage.ts';
import { room, said, say, setState, type TestEvent } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

interface Context {
  start: string;
  end: string;
  event: TestEvent;
  events_before: TestEvent[];
  events_after: TestEvent[];
  state: TestEvent[];
}

const contextPath = (roomId: string, eventId: string): string =>
  room(roomId, `/context/${encodeURIComponent(eventId)}`);
const contextOf = async (roomId: string, eventId: string, query = ''): Promise<Context> =>
  (await alice.call('GET', contextPath(roomId, eventId) + query)) as unknown as Context;

async function talk(roomId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await say(alice, roomId, `m${index}`));
  return ids;
}

describe('GET /rooms/{roomId}/context/{eventId}', () => {
  it('tells an event, half the limit before it and the rest after it', async () => {
    const roomId = await alice.createRoom();
    const ids = await talk(roomId, 9);
    const found = await contextOf(roomId, ids[4]!, '?limit=5');
    expect(found.event).toMatchObject({ event_id: ids[4], content: { body: 'm4' } });
    expect(said(found.events_before)).toEqual(['m3', 'm2']);
    expect(said(found.events_after)).toEqual(['m5', 'm6', 'm7']);
    const earlier = await alice.call('GET', room(roomId, `/messages?dir=b&limit=2&from=${found.start}`));
    expect(said(earlier['chunk'] as TestEvent[])).toEqual(['m1', 'm0']);
    const later = await alice.call('GET', room(roomId, `/messages?dir=f&from=${found.end}`));
    expect(said(later['chunk'] as TestEvent[])).toEqual(['m8']);
  });

  it('tells the event alone for a limit of 0, and is not led astray by ends and large limits', async () => {
    const roomId = await alice.createRoom();
    const ids = await talk(roomId, 2);
    expect(await contextOf(roomId, ids[0]!, '?limit=0')).toMatchObject({
      events_before: [],
      events_after: [],
    });
    const all = await contextOf(roomId, ids[1]!, '?limit=999999');
    expect(all.events_after).toEqual([]);
    expect(all.events_before.at(-1)?.type).toBe('m.room.create');
  });

  it('tells the state as of the last event told', async () => {
    const roomId = await alice.createRoom({ name: 'old' });
    const [eventId] = await talk(roomId, 1);
    await setState(alice, roomId, 'm.room.name', { name: 'new' });
    const nameIn = ({ state }: Context): unknown =>
      state.find(({ type }) => type === 'm.room.name')?.content['name'];
    expect(nameIn(await contextOf(roomId, eventId!, '?limit=0'))).toBe('old');
    const found = await contextOf(roomId, eventId!);
    expect(nameIn(found)).toBe('new');
    expect(found.state.map(({ type }) => type)).toContain('m.room.member');
  });

  it('takes filters and lazy loading', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await bob.join(roomId);
    const [eventId] = await talk(roomId, 1);
    await setState(alice, roomId, 'm.room.topic', { topic: 'x' });
    await say(bob, roomId, 'after');
    const filter = { types: ['m.room.message'], lazy_load_members: true };
    const found = await contextOf(roomId, eventId!, `?filter=${encodeURIComponent(JSON.stringify(filter))}`);
    expect([...found.events_before, ...found.events_after].map(({ type }) => type)).toEqual([
      'm.room.message',
    ]);
    const members = (one: Context) =>
      one.state.filter(({ type }) => type === 'm.room.member').map((member) => member.state_key);
    expect(members(found).sort()).toEqual([alice.userId, bob.userId]);
    const alone = { ...filter, types: ['none'] };
    const lazy = await contextOf(roomId, eventId!, `?filter=${encodeURIComponent(JSON.stringify(alone))}`);
    expect(members(lazy)).toEqual([alice.userId]);
  });

  it('tells strangers nothing, nor anyone what is not there', async () => {
    const roomId = await alice.createRoom();
    const [eventId] = await talk(roomId, 1);
    const path = `/_matrix/client/v3${contextPath(roomId, eventId!)}`;
    expect((await bob.request('GET', path)).status).toBe(404);
    expect((await world.request('GET', path)).status).toBe(401);
    const other = await alice.createRoom();
    for (const wrong of [
      contextPath(other, eventId!),
      contextPath(roomId, '$none'),
      contextPath('!no:x', '$x'),
    ]) {
      const answer = await alice.request('GET', `/_matrix/client/v3${wrong}`);
      expect([answer.status, answer.body['errcode']]).toEqual([404, 'M_NOT_FOUND']);
    }
    expect((await alice.request('GET', `${path}?limit=many`)).status).toBe(400);
  });
});

describe('GET /rooms/{roomId}/timestamp_to_event', () => {
  const path = (roomId: string, query: string) =>
    `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?${query}`;

  /** Messages at the times 1000, 2000 …, as if they had been sent then; answers their IDs. */
  async function past(roomId: string, count: number): Promise<string[]> {
    const ids = await talk(roomId, count);
    await sql`
      UPDATE roomserver_events SET json = regexp_replace(json, '"origin_server_ts":\\d+', '"origin_server_ts":0')
      WHERE NOT event_id = ANY(${ids}) AND room_nid = (SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})
    `.execute(world.sql);
    for (const [index, eventId] of ids.entries()) {
      const time = `"origin_server_ts":${(index + 1) * 1000}`;
      await sql`
        UPDATE roomserver_events SET json = regexp_replace(json, '"origin_server_ts":\\d+', ${time})
        WHERE event_id = ${eventId}
      `.execute(world.sql);
    }
    return ids;
  }

  const at = async (client: TestClient, roomId: string, ts: number, dir: 'f' | 'b') => {
    const answer = await client.request('GET', path(roomId, `ts=${ts}&dir=${dir}`));
    return answer.status === 200 ? answer.body['event_id'] : answer.body['errcode'];
  };

  it('finds the event at a time, or the next in the direction asked for', async () => {
    const roomId = await alice.createRoom();
    // Other rooms between, so that the room's events lie apart.
    const other = await alice.createRoom();
    await talk(other, 5);
    const ids = await past(roomId, 25);
    for (const [index, eventId] of ids.entries()) {
      const time = (index + 1) * 1000;
      expect(await at(alice, roomId, time, 'f')).toBe(eventId);
      expect(await at(alice, roomId, time, 'b')).toBe(eventId);
      expect(await at(alice, roomId, time - 1, 'f')).toBe(eventId);
      expect(await at(alice, roomId, time + 1, 'b')).toBe(eventId);
    }
    expect(await at(alice, roomId, 25_001, 'f')).toBe('M_NOT_FOUND');
    expect(await at(alice, roomId, 999_999_999_999_999, 'b')).toBe(ids.at(-1));
    const answer = await alice.request('GET', path(roomId, 'ts=1500&dir=f'));
    expect(answer.body).toEqual({ event_id: ids[1], origin_server_ts: 2000 });
  });

  it('passes over what cannot be read, and what the user may not see', async () => {
    const roomId = await alice.createRoom({
      preset: 'public_chat',
      initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }],
    });
    const ids = await past(roomId, 4);
    await bob.join(roomId);
    const last = await say(alice, roomId, 'after');
    expect(await at(alice, roomId, 1500, 'f')).toBe(ids[1]);
    expect([last, 'M_NOT_FOUND']).not.toContain(await at(bob, roomId, 1500, 'f'));
    expect(ids).not.toContain(await at(bob, roomId, 1500, 'f'));
    await sql`UPDATE roomserver_events SET json = '{' WHERE event_id = ${ids[1]}`.execute(world.sql);
    expect(await at(alice, roomId, 1500, 'f')).toBe(ids[2]);
  });

  it.each(['ts=1', 'dir=f', 'ts=x&dir=f', 'ts=-1&dir=f', 'ts=1&dir=up', 'ts=1.5&dir=b'])(
    'refuses %s',
    async (query) => {
      const roomId = await alice.createRoom();
      expect((await alice.request('GET', path(roomId, query))).status).toBe(400);
    },
  );

  it('tells strangers nothing', async () => {
    const roomId = await alice.createRoom();
    expect(await at(bob, roomId, 0, 'f')).toBe('M_FORBIDDEN');
    expect(await at(alice, '!none:here', 0, 'f')).toBe('M_FORBIDDEN');
    expect((await world.request('GET', path(roomId, 'ts=1&dir=f'))).status).toBe(401);
  });
});
