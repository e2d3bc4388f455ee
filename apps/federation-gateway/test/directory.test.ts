import { type JsonObject, own } from '@seneschal/matrix';
import { type TestAnswer } from '@seneschal/testing';

import { ask } from './asking.ts';
import { enterRoom } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { say, setState } from './sharing.ts';

const v1 = '/_matrix/federation/v1';

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

const get = (path: string): Promise<TestAnswer> => ask(peer, world, { uri: `${v1}${path}` });
const post = (path: string, content: JsonObject): Promise<TestAnswer> =>
  ask(peer, world, { method: 'POST', uri: `${v1}${path}`, content });
const namesOf = ({ body }: TestAnswer): unknown[] =>
  (body['chunk'] as JsonObject[]).map((one) => own(one, 'name'));

async function listed(name: string, more: object = {}): Promise<string> {
  return alice.createRoom({ preset: 'public_chat', visibility: 'public', name, ...more });
}

describe('the room directory, for other servers', () => {
  it('is told page by page, searched, and without rooms that stay here', async () => {
    await listed('Apples');
    await listed('Pears');
    await listed('Plums', { creation_content: { type: 'm.space' } });
    await listed('Secret', { creation_content: { 'm.federate': false } });
    const first = await get('/publicRooms?limit=2');
    const second = await get(`/publicRooms?limit=2&since=${String(first.body['next_batch'])}`);
    expect([...namesOf(first), ...namesOf(second)].sort()).toEqual(['Apples', 'Pears', 'Plums']);
    expect(first.body['total_room_count_estimate']).toBe(3);
    expect(second.body['next_batch']).toBeUndefined();
    expect(namesOf(await post('/publicRooms', { filter: { generic_search_term: 'pear' } }))).toEqual([
      'Pears',
    ]);
    expect(namesOf(await post('/publicRooms', { filter: { generic_search_term: 'secret' } }))).toEqual([]);
    expect(namesOf(await post('/publicRooms', { filter: { room_types: ['m.space'] } }))).toEqual(['Plums']);
  });

  it('is for servers, and refuses what is no question', async () => {
    expect((await world.request('GET', `${v1}/publicRooms`)).status).toBe(401);
    for (const path of [
      '/publicRooms?limit=x',
      '/publicRooms?since=nonsense',
      `/publicRooms?since=${'x'.repeat(2000)}`,
    ]) {
      expect([path, (await get(path)).status]).toEqual([path, 400]);
    }
    expect((await post('/publicRooms', { limit: 'all' })).status).toBe(400);
  });
});

describe('the room directory of another server', () => {
  const remote = (): string => `/_matrix/client/v3/publicRooms?server=${encodeURIComponent(peer.serverName)}`;

  it('is asked for, and of its entries those that are some are passed on', async () => {
    const room = {
      room_id: '!a:b.example',
      num_joined_members: 3,
      world_readable: false,
      guest_can_join: true,
    };
    peer.answer(`${v1}/publicRooms`, () => ({
      body: {
        chunk: [{ ...room, name: 'Good', evil: '<script>' }, { ...room, room_id: 'none' }, 'junk', null],
        next_batch: 'more',
        total_room_count_estimate: 1e99,
      } as unknown as JsonObject,
    }));
    const answer = await alice.request('POST', remote(), { body: { filter: { generic_search_term: 'go' } } });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        chunk: [{ ...room, name: 'Good', join_rule: 'public' }],
        next_batch: 'more',
        total_room_count_estimate: 1,
      },
    ]);
    expect(peer.requests.at(-1)?.body).toContain('"generic_search_term":"go"');
    expect((await alice.request('GET', remote())).status).toBe(200);
  });

  it('is asked for nobody without a token', async () => {
    const before = peer.requests.length;
    expect((await world.request('GET', remote())).status).toBe(401);
    expect((await world.request('GET', remote(), { token: 'none' })).body['errcode']).toBe('M_UNKNOWN_TOKEN');
    expect(peer.requests.length).toBe(before);
  });

  it('is 502 with the reason when it cannot be had', async () => {
    const dead = '/_matrix/client/v3/publicRooms?server=127.0.0.1:1';
    const answer = await alice.request('POST', dead, { body: {} });
    expect([answer.status, answer.body['errcode']]).toEqual([502, 'M_UNKNOWN']);
    peer.answer(`${v1}/publicRooms`, () => ({ status: 403, body: { errcode: 'M_FORBIDDEN', error: '<b>' } }));
    const refused = await alice.request('POST', remote(), { body: {} });
    expect([refused.status, refused.text.includes('<b>')]).toEqual([502, false]);
    const bad = '/_matrix/client/v3/publicRooms?server=a%20b';
    expect((await alice.request('POST', bad, { body: {} })).status).toBe(400);
  });
});

describe('timestamp_to_event', () => {
  it('is answered to servers in the room, with what they may see', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    const room = encodeURIComponent(foothold.roomId);
    const eventId = await say(alice, foothold.roomId, 'now');
    const late = `/timestamp_to_event/${room}?ts=${Date.now() + 1000}`;
    expect((await get(`${late}&dir=b`)).body).toMatchObject({ event_id: eventId });
    expect((await get(`${late}&dir=f`)).body['errcode']).toBe('M_NOT_FOUND');
    const first = await get(`/timestamp_to_event/${room}?ts=0&dir=f`);
    expect([first.status, typeof first.body['event_id']]).toEqual([200, 'string']);
    for (const query of ['ts=x&dir=f', 'ts=1&dir=up', 'ts=1']) {
      expect((await get(`/timestamp_to_event/${room}?${query}`)).status).toBe(400);
    }
    const other = await alice.createRoom({ preset: 'public_chat' });
    expect((await get(`/timestamp_to_event/${encodeURIComponent(other)}?ts=0&dir=f`)).status).toBe(403);
  });

  it('asks other servers of the room where nothing is known, and believes no nonsense', async () => {
    const { roomId } = await enterRoom({ world, peer, alice });
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=1000&dir=b`;
    const tell = (body: JsonObject): void => peer.answer(`${v1}/timestamp_to_event`, () => ({ body }));
    const event = { event_id: `$${'e'.repeat(43)}`, origin_server_ts: 900 };
    tell(event);
    expect((await alice.request('GET', path)).body).toEqual(event);
    for (const wrong of [{ ...event, origin_server_ts: 1001 }, { ...event, event_id: 'x' }, {}]) {
      tell(wrong);
      expect((await alice.request('GET', path)).body['errcode']).toBe('M_NOT_FOUND');
    }
    const before = peer.requests.length;
    const stranger = await world.register('stranger');
    expect((await stranger.request('GET', path)).status).toBe(403);
    expect(peer.requests.length).toBe(before);
  });
});

describe('a space, for other servers', () => {
  const via = { via: ['test.example'] };

  async function space(children: readonly [string, object][]): Promise<string> {
    const roomId = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' } });
    for (const [child, content] of children) {
      const path = `/rooms/${encodeURIComponent(roomId)}/state/m.space.child/${encodeURIComponent(child)}`;
      await alice.call('PUT', path, content);
    }
    return roomId;
  }

  it('has its children in their order, and names those that the server may not know of', async () => {
    const open = await alice.createRoom({ preset: 'public_chat', name: 'Open' });
    const closed = await alice.createRoom({ preset: 'private_chat', name: 'Closed' });
    const suggested = await alice.createRoom({ preset: 'public_chat', name: 'Suggested' });
    const roomId = await space([
      [open, { ...via, order: 'b' }],
      [closed, via],
      [suggested, { ...via, order: 'a', suggested: true }],
      ['!unknown:elsewhere.example', via],
      ['!removed:test.example', {}],
    ]);
    const { status, body } = await get(`/hierarchy/${encodeURIComponent(roomId)}`);
    expect(status).toBe(200);
    const room = body['room'] as { room_type: string; children_state: { state_key: string }[] };
    expect(room.room_type).toBe('m.space');
    expect(room.children_state.map((one) => one.state_key).slice(0, 2)).toEqual([suggested, open]);
    expect(room.children_state).toHaveLength(4);
    expect((body['children'] as JsonObject[]).map((one) => own(one, 'name'))).toEqual(['Suggested', 'Open']);
    expect(body['inaccessible_children']).toEqual([closed]);
    const fewer = await get(`/hierarchy/${encodeURIComponent(roomId)}?suggested_only=true`);
    expect((fewer.body['children'] as JsonObject[]).map((one) => own(one, 'name'))).toEqual(['Suggested']);
  });

  it('is not there for servers that may not know of it', async () => {
    const secret = await alice.createRoom({ preset: 'private_chat', creation_content: { type: 'm.space' } });
    for (const roomId of [secret, '!none:test.example']) {
      const answer = await get(`/hierarchy/${encodeURIComponent(roomId)}`);
      expect([answer.status, answer.body['errcode']]).toEqual([404, 'M_NOT_FOUND']);
    }
    expect((await get('/hierarchy/none')).status).toBe(400);
    const denying = await space([]);
    await setState(alice, denying, 'm.room.server_acl', { allow: ['*'], deny: ['127.0.0.1'] });
    expect((await get(`/hierarchy/${encodeURIComponent(denying)}`)).status).toBe(404);
  });

  it('has restricted rooms for servers in an allowed room', async () => {
    const { roomId: shared } = await enterRoom({ world, peer, alice });
    const other = await alice.createRoom({ preset: 'public_chat' });
    const restricted = async (allowed: string): Promise<string> => {
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      const allow = [{ type: 'm.room_membership', room_id: allowed }];
      await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow });
      return roomId;
    };
    const [known, unknown] = [await restricted(shared), await restricted(other)];
    const roomId = await space([
      [known, via],
      [unknown, via],
    ]);
    const { body } = await get(`/hierarchy/${encodeURIComponent(roomId)}`);
    expect(
      (body['children'] as JsonObject[]).map((one) => [own(one, 'room_id'), own(one, 'allowed_room_ids')]),
    ).toEqual([[known, [shared]]]);
    expect(body['inaccessible_children']).toEqual([unknown]);
  });
});
