import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { room, say, sync, type TestEvent } from './syncing.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const password = 'the password';

async function deactivate(client: TestClient, erase?: boolean): Promise<void> {
  const auth = { type: 'm.login.password', user: client.userId, password };
  await client.call('POST', '/account/deactivate', { auth, ...(erase === undefined ? {} : { erase }) });
  await world.settled();
}

const messages = async (client: TestClient, roomId: string): Promise<TestEvent[]> =>
  (await client.call('GET', room(roomId, '/messages?dir=b&limit=100')))['chunk'] as TestEvent[];

/** What a client sees of an event, wherever it looks. */
async function seen(client: TestClient, roomId: string, eventId: string): Promise<unknown[]> {
  const isIt = ({ event_id: id }: TestEvent): boolean => id === eventId;
  const context = await client.call('GET', room(roomId, `/context/${eventId}`));
  const filter = { room: { timeline: { limit: 50 } } };
  const { timeline } = (await sync(client, { filter })).rooms.join[roomId]!;
  return [
    (await messages(client, roomId)).find(isIt)?.content,
    (await client.call('GET', room(roomId, `/event/${eventId}`)))['content'],
    (context['event'] as TestEvent).content,
    timeline.events.find(isIt)?.content,
  ];
}

describe('deactivation with erase', () => {
  it('hides what was said from those who come later, and from nobody who was there', async () => {
    const alice = await world.register('alice', { password, displayname: 'Alice' });
    const bob = await world.register('bob');
    const gone = await world.register('gone');
    const roomId = await alice.createRoom({ preset: 'public_chat', name: 'Kept' });
    for (const client of [bob, gone]) await client.join(roomId);
    const said = await say(alice, roomId, 'my secret');
    await gone.leave(roomId);
    await deactivate(alice, true);
    const carol = await world.register('carol');
    for (const client of [carol, gone]) await client.join(roomId);
    const content = { msgtype: 'm.text', body: 'my secret' };
    expect(await seen(bob, roomId, said)).toEqual([content, content, content, content]);
    expect(await seen(gone, roomId, said)).toEqual([content, content, content, content]);
    expect(await seen(carol, roomId, said)).toEqual([{}, {}, {}, {}]);
    expect(JSON.stringify(await messages(carol, roomId))).not.toMatch(/my secret|Alice/);
    for (const where of ['/members', '/state']) {
      const { status, text } = await carol.request('GET', `/_matrix/client/v3${room(roomId, where)}`);
      expect([where, status, text.includes('Alice')]).toEqual([where, 200, false]);
    }
    expect(JSON.stringify(await sync(carol))).not.toMatch(/Alice/);
    expect(await carol.call('GET', room(roomId, '/state/m.room.name'))).toEqual({ name: 'Kept' });
    const profile = await world.request(
      'GET',
      `/_matrix/client/v3/profile/${encodeURIComponent(alice.userId)}`,
    );
    expect(profile.body).toEqual({});
  });

  it('hides it from a search, and from what is bundled', async () => {
    const dave = await world.register('dave', { password });
    const erin = await world.register('erin');
    const roomId = await erin.createRoom({ preset: 'public_chat' });
    await dave.join(roomId);
    const root = await say(erin, roomId, 'root');
    const relation = { rel_type: 'm.thread', event_id: root };
    const reply = { msgtype: 'm.text', body: 'haystack secret', 'm.relates_to': relation };
    await dave.call('PUT', room(roomId, '/send/m.room.message/t'), reply);
    await deactivate(dave, true);
    const late = await world.register('late');
    await late.join(roomId);
    const [bundled] = (await messages(late, roomId)).filter(({ event_id: id }) => id === root);
    expect(bundled?.unsigned).toHaveProperty(['m.relations', 'm.thread', 'latest_event']);
    expect(JSON.stringify(bundled)).not.toContain('secret');
    const found = await late.call('POST', '/search', {
      search_categories: { room_events: { search_term: 'haystack' } },
    });
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  it('hides nothing without it', async () => {
    const frank = await world.register('frank', { password, displayname: 'Frank' });
    const roomId = await frank.createRoom({ preset: 'public_chat' });
    const said = await say(frank, roomId, 'for all');
    await deactivate(frank);
    const grace = await world.register('grace');
    await grace.join(roomId);
    expect((await seen(grace, roomId, said))[0]).toMatchObject({ body: 'for all' });
    const rows = await sql`SELECT FROM roomserver_erased_users WHERE user_id = ${frank.userId}`.execute(
      world.sql,
    );
    expect(rows.rows).toEqual([]);
  });

  it('takes a real boolean', async () => {
    const heidi = await world.register('heidi', { password });
    const body = { erase: 'false', auth: { type: 'm.login.password', user: 'heidi', password } };
    const answer = await heidi.request('POST', '/_matrix/client/v3/account/deactivate', { body });
    expect(answer).toMatchObject({ status: 400, body: { errcode: 'M_BAD_JSON' } });
    expect((await heidi.request('GET', '/_matrix/client/v3/account/whoami')).status).toBe(200);
  });
});
