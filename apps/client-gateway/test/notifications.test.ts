import { startWorld, type TestClient, type World } from '@seneschal/testing';

import { room, say, type TestEvent } from './syncing.ts';

let world: World;
let alice: TestClient;
let bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  bob = await world.register('bob');
});
afterAll(() => world.stop());

interface Notification {
  room_id: string;
  event: TestEvent;
  actions: unknown[];
  read: boolean;
  ts: number;
}

const path = '/_matrix/client/v3/notifications';

async function page(client: TestClient, query: Record<string, string | number> = {}) {
  const { status, body, text } = await client.request('GET', path, { query });
  if (status !== 200) throw new Error(text);
  return body as unknown as { notifications: Notification[]; next_token?: string };
}

const bodies = ({ notifications }: { notifications: Notification[] }): unknown[] =>
  notifications.map(({ event }) => event.content['body']);

let count = 0;
async function mention(client: TestClient, roomId: string, body: string, userId: string): Promise<void> {
  count += 1;
  const content = { msgtype: 'm.text', body, 'm.mentions': { user_ids: [userId] } };
  await client.call('PUT', room(roomId, `/send/m.room.message/n${count}`), content);
}

async function together(): Promise<string> {
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await say(alice, roomId, 'before bob');
  await bob.join(roomId);
  return roomId;
}

describe('GET /notifications', () => {
  it('tells what the push rules notify of, newest first, with what was read', async () => {
    const one = await together();
    const other = await together();
    const first = await say(alice, one, 'first');
    await say(bob, one, 'by oneself');
    await mention(alice, other, 'hey bob', bob.userId);
    await alice.call('PUT', room(one, '/send/m.reaction/r1'), {
      'm.relates_to': { rel_type: 'm.annotation', event_id: first, key: 'x' },
    });
    await bob.call('POST', room(one, `/receipt/m.read/${first}`), {});
    const told = await page(bob);
    expect(bodies(told)).toEqual(['hey bob', 'first']);
    expect(told.notifications).toMatchObject([
      {
        room_id: other,
        read: false,
        actions: ['notify', { set_tweak: 'sound' }, { set_tweak: 'highlight' }],
      },
      { room_id: one, read: true, actions: ['notify', { set_tweak: 'sound' }] },
    ]);
    expect(told.notifications[1]?.event).toMatchObject({ event_id: first, type: 'm.room.message' });
    expect(told.notifications[1]?.event).not.toHaveProperty('room_id');
    expect(told.next_token).toBeUndefined();
    expect(bodies(await page(bob, { only: 'highlight' }))).toEqual(['hey bob']);
  });

  it('tells of invites, unless they are answered or come from somebody ignored', async () => {
    const [dave, mallory] = [await world.register('invitee'), await world.register('spammer')];
    const roomId = await alice.createRoom({ invite: [dave.userId] });
    await mallory.createRoom({ invite: [dave.userId] });
    const own = `/user/${encodeURIComponent(dave.userId)}/account_data`;
    expect((await page(dave)).notifications).toHaveLength(2);
    await dave.call('PUT', `${own}/m.ignored_user_list`, { ignored_users: { [mallory.userId]: {} } });
    const told = await page(dave);
    expect(told.notifications).toMatchObject([
      {
        room_id: roomId,
        read: false,
        actions: ['notify', { set_tweak: 'sound', value: 'default' }],
        event: { type: 'm.room.member', state_key: dave.userId, content: { membership: 'invite' } },
      },
    ]);
    await dave.call('PUT', `${own}/m.invite_permission_config`, { default_action: 'block' });
    expect((await page(dave)).notifications).toEqual([]);
    await dave.call('PUT', `${own}/m.invite_permission_config`, {});
    await dave.call('PUT', '/pushrules/global/override/.m.rule.invite_for_me/enabled', { enabled: false });
    expect((await page(dave)).notifications).toEqual([]);
    await dave.call('PUT', '/pushrules/global/override/.m.rule.invite_for_me/enabled', { enabled: true });
    await dave.join(roomId);
    expect((await page(dave)).notifications).toEqual([]);
  });

  it('comes in pages that fit together, however much notifies of nothing', async () => {
    const carol = await world.register('carol');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await carol.join(roomId);
    for (const body of ['1', '2', '3']) await mention(alice, roomId, body, carol.userId);
    await Promise.all(
      Array.from({ length: 120 }, (_, n) =>
        alice.call('PUT', room(roomId, `/send/m.room.message/quiet${n}`), {
          msgtype: 'm.notice',
          body: `${n}`,
        }),
      ),
    );
    for (const body of ['4', '5']) await mention(alice, roomId, body, carol.userId);
    const all: unknown[] = [];
    let from: string | undefined;
    do {
      const next = await page(carol, { limit: 2, ...(from === undefined ? {} : { from }) });
      all.push(...bodies(next));
      from = next.next_token;
    } while (from !== undefined);
    expect(all).toEqual(['5', '4', '3', '2', '1']);
  });

  it('row 22 (CVE-2024-53867): is empty after leaving, and takes no token but its own', async () => {
    const dave = await world.register('dave');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await dave.join(roomId);
    await say(alice, roomId, 'hello');
    expect(bodies(await page(dave))).toEqual(['hello']);
    await dave.leave(roomId);
    expect(bodies(await page(dave))).toEqual([]);
    const wrong: Record<string, string>[] = [
      { from: 'x' },
      { from: 's1_2' },
      { limit: '-1' },
      { limit: 'x' },
    ];
    for (const query of wrong) {
      const answer = await dave.request('GET', path, { query });
      expect(answer).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } });
    }
    expect((await world.request('GET', path)).status).toBe(401);
  });
});
