import { TestClient, type World } from '@seneschal/testing';

import { askSliding, everything, keysOf, slide, slidingPath } from './sliding.ts';
import { openStage, roomOf } from './stage.ts';
import { room, say, sync } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

let users = 0;
/** Somebody who is in no room yet. */
function newcomer(): Promise<TestClient> {
  users += 1;
  return world.register(`newcomer${users}`);
}

describe('positions', () => {
  it('of another device, another connection, or none at all are not known', async () => {
    const kim = await world.register('kim', { password: 'correct horse battery' });
    const { pos } = await slide(kim, { conn_id: 'main' });
    const login = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'kim' },
      password: 'correct horse battery',
    };
    const { body } = await world.request('POST', '/_matrix/client/v3/login', { body: login });
    const elsewhere = new TestClient(world.url, {
      userId: kim.userId,
      deviceId: body['device_id'] as string,
      token: body['access_token'] as string,
    });
    for (const [client, connId, asked] of [
      [alice, 'main', pos],
      [elsewhere, 'main', pos],
      [kim, 'other', pos],
      [kim, 'main', 'c0_0_s1_1'],
      [kim, 'main', 'nonsense'],
    ] as const) {
      const answer = await askSliding(client, { conn_id: connId }, { pos: asked });
      expect(answer).toMatchObject({ status: 400, body: { errcode: 'M_UNKNOWN_POS' } });
    }
    expect((await askSliding(kim, { conn_id: 'main' }, { pos })).status).toBe(200);
  });

  it('end when the client has gone on, and when it has begun anew', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    const first = await slide(carol, { lists: everything() });
    await say(bob, roomId, 'on');
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    await slide(carol, { lists: everything() }, { pos: second.pos });
    const old = await askSliding(carol, { lists: everything() }, { pos: first.pos });
    expect(old.body['errcode']).toBe('M_UNKNOWN_POS');
    await slide(carol, { lists: everything() });
    const replaced = await askSliding(carol, { lists: everything() }, { pos: second.pos });
    expect(replaced.body['errcode']).toBe('M_UNKNOWN_POS');
  });

  it('may be used where tokens of sync may', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    await say(carol, roomId, 'before');
    const { rooms } = await slide(carol, { lists: everything({ timeline_limit: 1 }) });
    const from = rooms[roomId]!.prev_batch!;
    const page = await carol.call('GET', room(roomId, `/messages?dir=b&from=${from}&limit=1`));
    expect(keysOf(page['chunk'] as never)).toEqual([`m.room.member ${bob.userId}`]);
  });

  it('of two first requests at once belong to one connection in the end', async () => {
    const carol = await newcomer();
    await roomOf(carol, bob);
    const answers = await Promise.all([1, 2, 3].map(() => slide(carol, { lists: everything() })));
    const next = await Promise.all(
      answers.map(({ pos }) => askSliding(carol, { lists: everything() }, { pos })),
    );
    expect(next.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index);

describe('requests that are not valid', () => {
  it.each([
    ['M_INVALID_PARAM', { lists: Object.fromEntries(numbers(101).map((n) => [`l${n}`, {}])) }],
    ['M_INVALID_PARAM', { room_subscriptions: Object.fromEntries(numbers(101).map((n) => [`!${n}:x`, {}])) }],
    [
      'M_INVALID_PARAM',
      {
        lists: {
          a: {
            ranges: [
              [0, 5],
              [5, 9],
            ],
          },
        },
      },
    ],
    ['M_INVALID_PARAM', { lists: { a: { ranges: [[5, 2]] } } }],
    ['M_INVALID_PARAM', { extensions: { to_device: { enabled: true, since: 'x' } } }],
    ['M_BAD_JSON', { lists: { a: { ranges: [[-1, 2]] } } }],
    ['M_BAD_JSON', { lists: { a: { required_state: [['m.room.name']] } } }],
    ['M_BAD_JSON', { lists: { a: { required_state: numbers(201).map(() => ['a', 'b']) } } }],
    ['M_BAD_JSON', { lists: [] }],
    ['M_BAD_JSON', { conn_id: 'a\0b' }],
    ['M_BAD_JSON', { lists: { a: { filters: { spaces: ['!a\0b:x'] } } } }],
    ['M_BAD_JSON', { conn_id: 'x'.repeat(256) }],
    ['M_BAD_JSON', { lists: { a: { timeline_limit: -1 } } }],
  ])('are answered with %s: %j', async (errcode, body) => {
    expect(await askSliding(alice, body)).toMatchObject({ status: 400, body: { errcode } });
  });

  it('are refused without a token before anything is looked at', async () => {
    const answer = await world.request('POST', slidingPath, { body: { lists: 1 } });
    expect(answer).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } });
  });
});

describe('beside plain sync', () => {
  it('tells the same of a room', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    await say(bob, roomId, 'same');
    const plain = (await sync(carol, { filter: { room: { timeline: { limit: 5 } } } })).rooms.join[roomId]!;
    const { rooms } = await slide(carol, { lists: everything({ timeline_limit: 5 }) });
    const ids = (events: readonly { event_id: string }[]): string[] => events.map((event) => event.event_id);
    expect(ids(rooms[roomId]!.timeline)).toEqual(ids(plain.timeline.events));
    expect(rooms[roomId]!.limited).toBe(plain.timeline.limited);
  });
});
