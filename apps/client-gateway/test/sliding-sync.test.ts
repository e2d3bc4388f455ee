import type { TestClient, World } from '@seneschal/testing';

import { everything, keysOf, slide } from './sliding.ts';
import { openStage, roomOf } from './stage.ts';
import { room, said, say, setState } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

let users = 0;
/** Somebody who is in no room yet. */
function newcomer(): Promise<TestClient> {
  users += 1;
  return world.register(`newcomer${users}`, { displayname: `Newcomer ${users}` });
}

describe('the versions', () => {
  it('say that there is sliding sync', async () => {
    const { body } = await alice.request('GET', '/_matrix/client/versions');
    expect(body['unstable_features']).toEqual({ 'org.matrix.simplified_msc3575': true });
  });
});

describe('the first answer', () => {
  it('tells the rooms of the window, the one with the newest event first', async () => {
    const carol = await newcomer();
    const rooms = [];
    for (const name of ['one', 'two', 'three']) rooms.push(await carol.createRoom({ name }));
    await say(carol, rooms[0]!, 'up');
    const { lists, rooms: told } = await slide(carol, { lists: everything({ ranges: [[0, 1]] }) });
    expect(lists['all']).toEqual({
      count: 3,
      ops: [{ op: 'SYNC', range: [0, 1], room_ids: [rooms[0], rooms[2]] }],
    });
    expect(Object.keys(told).sort()).toEqual([rooms[0], rooms[2]].sort());
    expect(told[rooms[0]!]).toMatchObject({
      initial: true,
      name: 'one',
      membership: 'join',
      joined_count: 1,
      invited_count: 0,
      is_dm: false,
      num_live: 0,
      lists: ['all'],
    });
    expect(said(told[rooms[0]!]!.timeline)).toEqual(['up']);
  });

  it('tells the state that is asked for, with the own membership and everything of a type', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    await setState(carol, roomId, 'org.example', { n: 1 }, 'a');
    await setState(carol, roomId, 'org.example', { n: 2 }, 'b');
    const asked: [string, string][] = [
      ['m.room.create', ''],
      ['m.room.member', '$ME'],
      ['org.example', '*'],
    ];
    const { rooms } = await slide(carol, { lists: everything({ required_state: asked, timeline_limit: 1 }) });
    expect(keysOf(rooms[roomId]!.required_state).sort()).toEqual(
      ['m.room.create', `m.room.member ${carol.userId}`, 'org.example a', 'org.example b'].sort(),
    );
  });

  it('tells with $LAZY the members of whom the timeline speaks, and each once', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    await bob.join(roomId);
    await say(alice, roomId, 'first');
    const lists = everything({
      required_state: [
        ['*', '*'],
        ['m.room.member', '$LAZY'],
      ],
      timeline_limit: 1,
    });
    const first = await slide(carol, { lists });
    const members = (events: Parameters<typeof keysOf>[0]): string[] =>
      keysOf(events).filter((key) => key.startsWith('m.room.member'));
    expect(members(first.rooms[roomId]!.required_state)).toEqual([`m.room.member ${alice.userId}`]);
    expect(keysOf(first.rooms[roomId]!.required_state)).toContain('m.room.create');
    await say(alice, roomId, 'second');
    const second = await slide(carol, { lists }, { pos: first.pos });
    expect(members(second.rooms[roomId]!.required_state)).toEqual([]);
    await say(bob, roomId, 'third');
    const third = await slide(carol, { lists }, { pos: second.pos });
    expect(members(third.rooms[roomId]!.required_state)).toEqual([`m.room.member ${bob.userId}`]);
  });

  it('names the heroes of a room without a name', async () => {
    const carol = await newcomer();
    const dave = await newcomer();
    const roomId = await roomOf(carol, dave);
    const { rooms } = await slide(carol, { lists: everything() });
    expect(rooms[roomId]!.heroes).toEqual([{ user_id: dave.userId, displayname: `Newcomer ${users}` }]);
    expect(rooms[roomId]).not.toHaveProperty('name');
  });

  it('tells an invite by its stripped state, and none by somebody who is ignored', async () => {
    const carol = await newcomer();
    const mallory = await newcomer();
    await carol.call('PUT', `/user/${carol.userId}/account_data/m.ignored_user_list`, {
      ignored_users: { [mallory.userId]: {} },
    });
    const roomId = await alice.createRoom({ name: 'Invited' });
    await alice.invite(roomId, carol.userId);
    await mallory.invite(await mallory.createRoom({}), carol.userId);
    const { rooms, lists } = await slide(carol, { lists: everything() });
    expect(lists['all']!.count).toBe(1);
    expect(keysOf(rooms[roomId]!.invite_state!)).toEqual(
      expect.arrayContaining(['m.room.name', `m.room.member ${carol.userId}`]),
    );
    expect(rooms[roomId]).toMatchObject({ membership: 'invite', initial: true });
    expect(rooms[roomId]).not.toHaveProperty('timeline');
  });
});

describe('the next answer', () => {
  it('has only what is new, and nothing when nothing is', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    const lists = everything({ required_state: [['m.room.name', '']] });
    const first = await slide(carol, { lists });
    await say(bob, roomId, 'hello');
    await setState(carol, roomId, 'm.room.name', { name: 'Hall' });
    const second = await slide(carol, { lists }, { pos: first.pos });
    const told = second.rooms[roomId]!;
    expect(keysOf(told.timeline)).toEqual(['m.room.message', 'm.room.name']);
    expect(keysOf(told.required_state)).toEqual(['m.room.name']);
    expect(told).toMatchObject({ name: 'Hall', limited: false, num_live: 2, notification_count: 1 });
    expect(told).not.toHaveProperty('initial');
    const third = await slide(carol, { lists }, { pos: second.pos });
    expect(third.rooms).toEqual({});
    expect(third.lists['all']!.count).toBe(1);
  });

  it('loses nothing when the answer is lost', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    const { pos } = await slide(carol, { lists: everything() });
    await say(bob, roomId, 'one');
    const lost = await slide(carol, { lists: everything() }, { pos });
    await say(bob, roomId, 'two');
    const again = await slide(carol, { lists: everything() }, { pos });
    expect(said(lost.rooms[roomId]!.timeline)).toEqual(['one']);
    expect(said(again.rooms[roomId]!.timeline)).toEqual(['one', 'two']);
    const next = await slide(carol, { lists: everything() }, { pos: again.pos });
    expect(next.rooms).toEqual({});
  });

  it('waits, and comes when there is something', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    const { pos } = await slide(carol, { lists: everything() });
    const waiting = slide(carol, { lists: everything() }, { pos, timeout: 30_000 });
    await say(bob, roomId, 'wake up');
    expect(said((await waiting).rooms[roomId]!.timeline)).toEqual(['wake up']);
  });

  it('tells a room that was outside of the window with all that it missed', async () => {
    const carol = await newcomer();
    const old = await roomOf(carol, bob);
    const recent = await roomOf(carol, bob);
    const wide = await slide(carol, { lists: everything({ ranges: [[0, 1]] }) });
    const narrow = { lists: everything({ ranges: [[0, 0]] }) };
    await say(bob, old, 'missed');
    await say(bob, recent, 'newest');
    const second = await slide(carol, narrow, { pos: wide.pos });
    expect(Object.keys(second.rooms)).toEqual([recent]);
    const third = await slide(carol, { lists: everything({ ranges: [[0, 1]] }) }, { pos: second.pos });
    expect(Object.keys(third.rooms)).toEqual([old]);
    expect(said(third.rooms[old]!.timeline)).toEqual(['missed']);
    expect(third.rooms[old]!.num_live).toBe(0);
  });

  it('tells more of a timeline, and more state, as soon as more is asked for', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    for (const text of ['a', 'b', 'c']) await say(bob, roomId, text);
    const first = await slide(carol, { lists: everything({ timeline_limit: 1 }) });
    expect(said(first.rooms[roomId]!.timeline)).toEqual(['c']);
    const subscription = {
      room_subscriptions: { [roomId]: { timeline_limit: 3, required_state: [['m.room.create', '']] } },
    };
    const second = await slide(
      carol,
      { lists: everything({ timeline_limit: 1 }), ...subscription },
      { pos: first.pos },
    );
    const told = second.rooms[roomId]!;
    expect(said(told.timeline)).toEqual(['a', 'b', 'c']);
    expect(told).toMatchObject({ expanded_timeline: true, unstable_expanded_timeline: true, num_live: 0 });
    expect(keysOf(told.required_state)).toEqual(['m.room.create']);
    const third = await slide(carol, subscription, { pos: second.pos });
    expect(third.rooms).toEqual({});
  });

  it('counts what was not read, and tells the room again when the user has read it', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    const eventId = await say(bob, roomId, 'read me');
    const first = await slide(carol, { lists: everything() });
    expect(first.rooms[roomId]!.notification_count).toBe(1);
    await carol.call('POST', room(roomId, `/receipt/m.read.private/${eventId}`), {});
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    expect(second.rooms[roomId]).toMatchObject({ notification_count: 0, timeline: [] });
  });

  it('says nothing of what somebody says who is ignored', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(carol, bob);
    await carol.call('PUT', `/user/${carol.userId}/account_data/m.ignored_user_list`, {
      ignored_users: { [bob.userId]: {} },
    });
    const first = await slide(carol, { lists: everything() });
    await say(bob, roomId, 'noise');
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    expect(second.rooms).toEqual({});
    await say(carol, roomId, 'speech');
    const third = await slide(carol, { lists: everything() }, { pos: second.pos });
    expect(said(third.rooms[roomId]!.timeline)).toEqual(['speech']);
  });
});
