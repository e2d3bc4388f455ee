import { purgeRoomJob } from '@seneschal/contracts';
import type { TestClient, World } from '@seneschal/testing';

import { everything, keysOf, slide } from './sliding.ts';
import { openStage, roomOf } from './stage.ts';
import { room, said, say, setState } from './syncing.ts';

let world: World, alice: TestClient;
openStage((stage) => ({ world, alice } = stage));

let users = 0;
/** Somebody who is in no room yet. */
function newcomer(): Promise<TestClient> {
  users += 1;
  return world.register(`newcomer${users}`);
}

describe('rooms that the user is out of', () => {
  it('are told once when left, and are no more in the list', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const lists = everything({ ranges: [[0, 0]] });
    const first = await slide(carol, { lists });
    await carol.leave(roomId);
    const second = await slide(carol, { lists }, { pos: first.pos });
    expect(second.lists['all']!.count).toBe(0);
    expect(second.rooms[roomId]).toMatchObject({ membership: 'leave' });
    expect(keysOf(second.rooms[roomId]!.required_state)).toContain(`m.room.member ${carol.userId}`);
    await say(alice, roomId, 'behind their back');
    const third = await slide(carol, { lists }, { pos: second.pos });
    expect(third.rooms).toEqual({});
  });

  it('show who was put out, and stay in the list', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const first = await slide(carol, { lists: everything() });
    await alice.call('POST', room(roomId, '/ban'), { user_id: carol.userId, reason: 'spam' });
    await say(alice, roomId, 'gone');
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    const told = second.rooms[roomId]!;
    expect(told.membership).toBe('ban');
    expect(told.timeline.at(-1)!.content).toMatchObject({ membership: 'ban', reason: 'spam' });
    expect(second.lists['all']!.count).toBe(1);
    expect((await slide(carol, { lists: everything() })).rooms[roomId]).toMatchObject({ membership: 'ban' });
  });

  it('are told although they were forgotten at once', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const first = await slide(carol, { lists: everything() });
    await carol.leave(roomId);
    await carol.call('POST', room(roomId, '/forget'), {});
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    expect(second.rooms[roomId]).toMatchObject({ membership: 'leave', limited: false });
    expect(second.rooms[roomId]!.required_state[0]!.content).toEqual({ membership: 'leave' });
    expect((await slide(carol, { lists: everything() }, { pos: second.pos })).rooms).toEqual({});
  });

  it('say nothing of what became of them after the user had left, although others called and sent the user away', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const lists = everything({ required_state: [['m.room.topic', '']], timeline_limit: 20 });
    const first = await slide(carol, { lists });
    await carol.leave(roomId);
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    await setState(alice, roomId, 'm.room.topic', { topic: 'secret' });
    await alice.invite(roomId, carol.userId);
    await alice.call('POST', room(roomId, '/kick'), { user_id: carol.userId });
    const second = await slide(carol, { lists }, { pos: first.pos });
    expect(keysOf(second.rooms[roomId]!.required_state)).toEqual([`m.room.member ${carol.userId}`]);
    expect(JSON.stringify(second)).not.toContain('secret');
  });

  it('are told as left when they were evacuated and purged', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const first = await slide(carol, { lists: everything() });
    const { jobs } = world.homeserver.platform;
    const input = { roomId, block: false, evacuate: true, export: false };
    const { jobId } = await jobs.start(purgeRoomJob, input, { requestedBy: alice.userId });
    expect(await jobs.wait(jobId, 60_000)).toMatchObject({ state: 'completed' });
    await world.settled();
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    expect(second.rooms[roomId]).toMatchObject({ membership: 'leave' });
    expect(second.rooms[roomId]!.required_state[0]).toMatchObject({ state_key: carol.userId });
    const third = await slide(carol, { lists: everything() }, { pos: second.pos });
    expect(third.rooms).toEqual({});
    expect((await slide(carol, { lists: everything() })).rooms).toEqual({});
  });

  it('are told from the beginning when the user is back', async () => {
    const carol = await newcomer();
    const roomId = await roomOf(alice, carol);
    const first = await slide(carol, { lists: everything() });
    await carol.leave(roomId);
    await carol.join(roomId);
    const second = await slide(carol, { lists: everything() }, { pos: first.pos });
    expect(second.rooms[roomId]).toMatchObject({ membership: 'join', initial: true });
  });

  it('never show what was said before the user came, where that is hidden', async () => {
    const carol = await newcomer();
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    await say(alice, roomId, 'hidden');
    await carol.join(roomId);
    await say(alice, roomId, 'seen');
    const { rooms } = await slide(carol, { lists: everything({ timeline_limit: 50 }) });
    expect(said(rooms[roomId]!.timeline)).toEqual(['seen']);
  });
});
