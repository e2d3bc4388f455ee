import type { TestClient, World } from '@seneschal/testing';

import { openStage, roomOf } from './stage.ts';
import { room, said, say, setState, sync } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const nul = 'a\u0000b';
const v1 = '/_matrix/client/v1';
const v3 = '/_matrix/client/v3';

type Ask = [method: string, path: string, given?: { body?: object; query?: Record<string, string> }];

/** What a client may send, with NUL wherever text may stand. */
function asks(roomId: string, userId: string): Ask[] {
  const mine = `${v3}/user/${encodeURIComponent(userId)}`;
  const events = { types: [nul], not_types: [nul], senders: [nul], not_senders: [nul] };
  const filter = { room: { timeline: events } };
  const search = { search_term: nul, filter: { ...events, rooms: [nul] } };
  const keys = { device_keys: { [nul]: [nul], [userId]: [nul] } };
  const login = { identifier: { type: 'm.id.user', user: nul }, password: nul, device_id: nul };
  return [
    ['GET', `${v3}${room(roomId, '/messages')}`, { query: { dir: 'b', filter: JSON.stringify(events) } }],
    ['GET', `${v3}/sync`, { query: { filter: JSON.stringify(filter) } }],
    ['POST', `${mine}/filter`, { body: filter }],
    ['POST', `${v3}/search`, { body: { search_categories: { room_events: search } } }],
    ['POST', `${v3}/user_directory/search`, { body: { search_term: nul } }],
    ['POST', `${v3}/publicRooms`, { body: { filter: { generic_search_term: nul, room_types: [nul] } } }],
    ['PUT', `${v3}/profile/${encodeURIComponent(userId)}/displayname`, { body: { displayname: nul } }],
    ['POST', `${v3}${room(roomId, '/report')}`, { body: { reason: nul } }],
    ['POST', `${v3}${room(roomId, '/invite')}`, { body: { user_id: '@new:test.example', reason: nul } }],
    ['PUT', `${mine}/account_data/org.example`, { body: { [nul]: nul } }],
    ['PUT', `${mine}/account_data/m.ignored_user_list`, { body: { ignored_users: { [nul]: {} } } }],
    ['PUT', `${v3}/sendToDevice/m.x/n1`, { body: { messages: { [userId]: { [nul]: { a: nul } } } } }],
    ['PUT', `${v3}/sendToDevice/m.x/n2`, { body: { messages: { [userId]: { '*': { a: nul } } } } }],
    ['POST', `${v3}/keys/query`, { body: keys }],
    ['POST', `${v3}/keys/claim`, { body: { one_time_keys: { [userId]: { [nul]: nul } } } }],
    ['POST', `${v3}/createRoom`, { body: { name: nul, topic: nul, room_alias_name: nul } }],
    ['POST', `${v3}/createRoom`, { body: { invite: [nul], room_version: nul } }],
    [
      'POST',
      `${v3}/login`,
      { body: { type: 'm.login.password', ...login, initial_device_display_name: nul } },
    ],
  ];
}

describe('NUL, which the text of PostgreSQL cannot hold,', () => {
  it('harms nothing where it stands in events, nor those who read them', async () => {
    const roomId = await roomOf(alice, bob);
    await setState(alice, roomId, 'm.room.name', { name: nul });
    await setState(alice, roomId, 'm.room.topic', { topic: nul });
    const member = { membership: 'join', displayname: nul, avatar_url: nul, reason: nul };
    await setState(bob, roomId, 'm.room.member', member, bob.userId);
    await say(alice, roomId, nul);
    const relation = { rel_type: nul, event_id: nul, key: nul };
    await alice.call('PUT', room(roomId, '/send/m.reaction/n1'), { 'm.relates_to': relation });
    const space = await alice.createRoom({
      ...{ preset: 'public_chat', visibility: 'public', name: nul, topic: nul },
      creation_content: { type: nul },
    });
    await setState(alice, space, 'm.space.child', { via: [nul], order: nul }, roomId);
    await bob.join(space);
    await world.settled();
    const seen = (await sync(bob)).rooms.join[roomId];
    expect(said(seen?.timeline.events ?? [])).toEqual([nul]);
    for (const path of [
      `${v3}/publicRooms`,
      `${v3}${room(roomId, '/members')}`,
      `${v3}${room(roomId, '/messages?dir=b')}`,
      `${v1}${room(space, '/hierarchy')}`,
    ]) {
      const { status, text } = await bob.request('GET', path);
      expect([path, status, text.includes('a\\u0000b')]).toEqual([path, 200, true]);
    }
  });

  it('is taken or refused in requests, and breaks none', async () => {
    const roomId = await roomOf(alice, bob);
    for (const [method, path, given] of asks(roomId, bob.userId)) {
      const { status } = await bob.request(method, path, given);
      expect([method, path, status < 500]).toEqual([method, path, true]);
    }
    await world.settled();
    expect(Object.keys((await sync(bob)).rooms.join)).toContain(roomId);
  });
});
