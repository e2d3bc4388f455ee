import type { TestClient, World } from '@seneschal/testing';

import { openStage, roomOf } from './stage.ts';
import { room, say, setState, sync, type SyncAnswer } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const pair = (): Promise<string> => roomOf(alice, bob);

const receipt = (client: TestClient, roomId: string, type: string, eventId: string, body: object = {}) =>
  client.request('POST', `/_matrix/client/v3${room(roomId, `/receipt/${type}/${eventId}`)}`, { body });
const typing = (client: TestClient, roomId: string, body: object) =>
  client.call('PUT', room(roomId, `/typing/${client.userId}`), body);
const ephemeral = (answer: SyncAnswer, roomId: string, type: string): unknown =>
  answer.rooms.join[roomId]?.ephemeral.events.find((event) => event.type === type)?.content;
const unread = (answer: SyncAnswer, roomId: string): unknown =>
  answer.rooms.join[roomId]?.unread_notifications;
const counts = (notification_count: number, highlight_count = 0) => ({ notification_count, highlight_count });

describe('read receipts', () => {
  it('are told to the others in the room, and wake them', async () => {
    const roomId = await pair();
    const eventId = await say(alice, roomId, 'read me');
    const { next_batch: since } = await sync(alice);
    const waiting = sync(alice, { since, timeout: 20_000 });
    await receipt(bob, roomId, 'm.read', eventId);
    const told = ephemeral(await waiting, roomId, 'm.receipt');
    expect(told).toEqual({ [eventId]: { 'm.read': { [bob.userId]: { ts: expect.any(Number) as number } } } });
    expect(ephemeral(await sync(alice), roomId, 'm.receipt')).toEqual(told);
  });

  it('stay with the user when they are private, also the marker of what was read fully', async () => {
    const roomId = await pair();
    const eventId = await say(alice, roomId, 'psst');
    const sinceAlice = (await sync(alice)).next_batch;
    const sinceBob = (await sync(bob)).next_batch;
    const markers = { 'm.read.private': eventId, 'm.fully_read': eventId };
    await bob.call('POST', room(roomId, '/read_markers'), markers);
    const own = await sync(bob, { since: sinceBob });
    expect(ephemeral(own, roomId, 'm.receipt')).toMatchObject({ [eventId]: { 'm.read.private': {} } });
    expect(own.rooms.join[roomId]!.account_data.events).toEqual([
      { type: 'm.fully_read', content: { event_id: eventId } },
    ]);
    expect((await sync(alice, { since: sinceAlice })).rooms.join).toEqual({});
  });

  it('never go back, however often and at once they come', async () => {
    const roomId = await pair();
    const [first, second] = [await say(alice, roomId, 'one'), await say(alice, roomId, 'two')];
    await Promise.all([first, second, first, second].map((id) => receipt(bob, roomId, 'm.read', id)));
    await receipt(bob, roomId, 'm.read', first);
    const told = ephemeral(await sync(alice), roomId, 'm.receipt') as object;
    expect(Object.keys(told)).toEqual([second]);
  });

  it('name their thread', async () => {
    const roomId = await pair();
    const eventId = await say(alice, roomId, 'root');
    await receipt(bob, roomId, 'm.read', eventId, { thread_id: 'main' });
    expect(ephemeral(await sync(alice), roomId, 'm.receipt')).toMatchObject({
      [eventId]: { 'm.read': { [bob.userId]: { thread_id: 'main' } } },
    });
  });

  it('23 (CVE-2023-42453): are refused for events of other rooms, and from others than members', async () => {
    const roomId = await pair();
    const other = await say(alice, await pair(), 'elsewhere');
    const here = await say(alice, roomId, 'here');
    const eve = await world.register(`eve${Date.now()}`);
    expect(await receipt(bob, roomId, 'm.read', other)).toMatchObject({ status: 404 });
    expect(await receipt(eve, roomId, 'm.read', here)).toMatchObject({ status: 403 });
    expect(await receipt(bob, roomId, 'm.other', here)).toMatchObject({ status: 400 });
    expect(await receipt(bob, roomId, 'm.read', here, { thread_id: '' })).toMatchObject({ status: 400 });
    const marked = await receipt(bob, roomId, 'm.fully_read', here, { thread_id: 'main' });
    expect(marked).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } });
    expect(ephemeral(await sync(alice), roomId, 'm.receipt')).toBeUndefined();
  });

  it('are left out by a filter', async () => {
    const roomId = await pair();
    await receipt(bob, roomId, 'm.read', await say(alice, roomId, 'x'));
    const filter = { room: { ephemeral: { not_types: ['m.receipt'] } } };
    expect(ephemeral(await sync(alice, { filter }), roomId, 'm.receipt')).toBeUndefined();
  });
});

describe('typing', () => {
  it('is told while it goes on, and when it stops', async () => {
    const roomId = await pair();
    const { next_batch: since } = await sync(alice);
    const waiting = sync(alice, { since, timeout: 20_000 });
    await typing(bob, roomId, { typing: true, timeout: 60_000 });
    const first = await waiting;
    expect(ephemeral(first, roomId, 'm.typing')).toEqual({ user_ids: [bob.userId] });
    await typing(bob, roomId, { typing: true, timeout: 60_000 });
    expect((await sync(alice, { since: first.next_batch })).rooms.join).toEqual({});
    await typing(bob, roomId, { typing: false });
    const second = await sync(alice, { since: first.next_batch });
    expect(ephemeral(second, roomId, 'm.typing')).toEqual({ user_ids: [] });
    expect((await sync(alice, { since: second.next_batch })).rooms.join).toEqual({});
  });

  it('ends by itself, which wakes those who wait', async () => {
    const roomId = await pair();
    await typing(bob, roomId, { typing: true, timeout: 300 });
    const first = await sync(alice);
    const second = await sync(alice, { since: first.next_batch, timeout: 20_000 });
    expect(ephemeral(second, roomId, 'm.typing')).toEqual({ user_ids: [] });
  });

  it('is for oneself, as a member', async () => {
    const roomId = await pair();
    const path = `/_matrix/client/v3${room(roomId, `/typing/${alice.userId}`)}`;
    const body = { typing: true };
    expect(await bob.request('PUT', path, { body })).toMatchObject({ status: 403 });
    await alice.leave(roomId);
    expect(await alice.request('PUT', path, { body })).toMatchObject({ status: 403 });
    expect(await alice.request('PUT', path, { body: {} })).toMatchObject({ status: 400 });
  });
});

describe('unread counts', () => {
  it('grow with messages of others and go with the receipt', async () => {
    const roomId = await pair();
    await say(alice, roomId, 'one');
    const first = await sync(bob);
    expect(unread(first, roomId)).toEqual(counts(1));
    await say(alice, roomId, 'two');
    await say(bob, roomId, 'my own');
    const last = await say(alice, roomId, 'three');
    const second = await sync(bob, { since: first.next_batch });
    expect(unread(second, roomId)).toEqual(counts(3));
    await receipt(bob, roomId, 'm.read', last);
    const third = await sync(bob, { since: second.next_batch });
    expect(unread(third, roomId)).toEqual(counts(0));
    expect(unread(await sync(bob), roomId)).toEqual(counts(0));
  });

  it('count mentions, and nothing that the rules keep silent', async () => {
    const roomId = await pair();
    let sent = 0;
    const send = (content: object) =>
      alice.call('PUT', room(roomId, `/send/m.room.message/${(sent += 1)}`), content);
    const text = { msgtype: 'm.text', body: 'hello' };
    await send({ ...text, 'm.mentions': { user_ids: [bob.userId] } });
    await send({ ...text, 'm.mentions': { room: true } });
    await send({ ...text, msgtype: 'm.notice' });
    await setState(alice, roomId, 'm.room.topic', { topic: 'quiet' });
    expect(unread(await sync(bob), roomId)).toEqual(counts(2, 2));
    await bob.call('PUT', `/pushrules/global/room/${encodeURIComponent(roomId)}`, { actions: [] });
    expect(unread(await sync(bob), roomId)).toEqual(counts(2, 2));
    await bob.call('PUT', `/pushrules/global/override/${encodeURIComponent(roomId)}`, {
      conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }],
      actions: [],
    });
    expect(unread(await sync(bob), roomId)).toEqual(counts(0));
  });

  it('tell threads apart for those who ask', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    const inThread = {
      msgtype: 'm.text',
      body: 'x',
      'm.relates_to': { rel_type: 'm.thread', event_id: root },
    };
    const sent = await alice.call('PUT', room(roomId, '/send/m.room.message/t1'), inThread);
    const filter = { room: { timeline: { unread_thread_notifications: true } } };
    const shown = async () => {
      const joined = (await sync(bob, { filter })).rooms.join[roomId]!;
      return [joined.unread_notifications, joined.unread_thread_notifications];
    };
    expect(await shown()).toEqual([counts(1), { [root]: counts(1) }]);
    expect(unread(await sync(bob), roomId)).toEqual(counts(2));
    await receipt(bob, roomId, 'm.read', sent['event_id'] as string, { thread_id: root });
    expect(await shown()).toEqual([counts(1), {}]);
    await receipt(bob, roomId, 'm.read', sent['event_id'] as string);
    expect(await shown()).toEqual([counts(0), {}]);
  });
});
