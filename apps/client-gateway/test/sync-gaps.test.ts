import { roomOf, openStage, type Stage } from './stage.ts';
import { room, said, say, sync, type TestEvent } from './syncing.ts';

let stage: Stage;
openStage((opened) => (stage = opened));

describe('a room that was left, entered and left again between two syncs', () => {
  it('is told with a gap, as what came after the first leaving was not told', async () => {
    const { alice, bob } = stage;
    const roomId = await roomOf(alice, bob);
    await bob.leave(roomId);
    await say(alice, roomId, 'unseen');
    const { next_batch: since } = await sync(bob);
    await say(alice, roomId, 'meanwhile');
    await bob.join(roomId);
    await bob.leave(roomId);
    const { timeline } = (await sync(bob, { since })).rooms.leave[roomId]!;
    expect(said(timeline.events)).toEqual(['meanwhile']);
    expect(timeline.limited).toBe(true);
    const path = `/_matrix/client/v3${room(roomId, '/messages')}`;
    const answer = await bob.request('GET', path, { query: { dir: 'b', from: timeline.prev_batch } });
    expect(said((answer.body as { chunk: TestEvent[] }).chunk)[0]).toBe('unseen');
  });

  it('is told without a gap when the user only became unbanned', async () => {
    const { alice, bob } = stage;
    const roomId = await roomOf(alice, bob);
    await alice.call('POST', room(roomId, '/ban'), { user_id: bob.userId });
    const { next_batch: since } = await sync(bob);
    await alice.call('POST', room(roomId, '/unban'), { user_id: bob.userId });
    const { timeline } = (await sync(bob, { since })).rooms.leave[roomId]!;
    expect(timeline.events).toHaveLength(1);
    expect(timeline.limited).toBe(false);
  });
});
