import type { TestClient, World } from '@seneschal/testing';

import { openStage, roomOf } from './stage.ts';
import { room, said, say, sync, type TestEvent } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const pair = (): Promise<string> => roomOf(alice, bob);

let transactions = 0;
async function send(
  client: TestClient,
  roomId: string,
  relation: object,
  { type = 'm.room.message', body = 'x' } = {},
): Promise<string> {
  const content = { msgtype: 'm.text', body, 'm.relates_to': relation };
  const path = room(roomId, `/send/${type}/r${(transactions += 1)}`);
  return (await client.call('PUT', path, content))['event_id'] as string;
}
const edit = (client: TestClient, roomId: string, event_id: string, body: string) =>
  send(client, roomId, { rel_type: 'm.replace', event_id }, { body });
const answer = (client: TestClient, roomId: string, event_id: string, body = 'answer') =>
  send(client, roomId, { rel_type: 'm.thread', event_id }, { body });
const react = (client: TestClient, roomId: string, event_id: string) =>
  send(client, roomId, { rel_type: 'm.annotation', event_id, key: '👍' }, { type: 'm.reaction' });

interface Page {
  chunk: TestEvent[];
  next_batch?: string;
  recursion_depth?: number;
}
async function get(client: TestClient, roomId: string, path: string, query = {}): Promise<Page> {
  const found = await client.request('GET', `/_matrix/client/v1${room(roomId, path)}`, { query });
  if (found.status !== 200) throw new Error(found.text);
  return found.body as unknown as Page;
}
const idsOf = ({ chunk }: Page): string[] => chunk.map((event) => event.event_id);

async function eventOf(client: TestClient, roomId: string, eventId: string): Promise<TestEvent> {
  return (await client.call('GET', room(roomId, `/event/${eventId}`))) as unknown as TestEvent;
}
async function bundled(client: TestClient, roomId: string, eventId: string): Promise<unknown> {
  return (await eventOf(client, roomId, eventId)).unsigned?.['m.relations'];
}

describe('GET /relations', () => {
  it('answers by type of relation and event, page by page, in both directions', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    const answers = [];
    for (const client of [alice, bob, alice]) answers.push(await answer(client, roomId, root));
    const reaction = await react(bob, roomId, root);
    const path = `/relations/${root}`;
    expect(idsOf(await get(bob, roomId, path))).toEqual([reaction, ...[...answers].reverse()]);
    expect(idsOf(await get(bob, roomId, `${path}/m.thread`, { dir: 'f' }))).toEqual(answers);
    expect(idsOf(await get(bob, roomId, `${path}/m.annotation/m.reaction`))).toEqual([reaction]);
    expect(idsOf(await get(bob, roomId, `${path}/m.thread/m.reaction`))).toEqual([]);
    const first = await get(bob, roomId, `${path}/m.thread`, { limit: 2 });
    expect(idsOf(first)).toEqual([answers[2], answers[1]]);
    const second = await get(bob, roomId, `${path}/m.thread`, { limit: 2, from: first.next_batch });
    expect(idsOf(second)).toEqual([answers[0]]);
    expect(second.next_batch).toBeUndefined();
  });

  it('follows relations of relations when asked to', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    const inThread = await answer(bob, roomId, root);
    const reaction = await react(alice, roomId, inThread);
    const path = `/relations/${root}`;
    expect(idsOf(await get(bob, roomId, path))).toEqual([inThread]);
    const deep = await get(bob, roomId, path, { recurse: true });
    expect(idsOf(deep)).toEqual([reaction, inThread]);
    expect(deep.recursion_depth).toBe(3);
    expect(idsOf(await get(bob, roomId, `${path}/m.annotation`, { recurse: true }))).toEqual([reaction]);
  });

  it('knows nothing of what was redacted, and is for those who may see the event', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    const reaction = await react(bob, roomId, root);
    await bob.call('PUT', room(roomId, `/redact/${reaction}/x${(transactions += 1)}`), {});
    expect(idsOf(await get(alice, roomId, `/relations/${root}`))).toEqual([]);
    const eve = await world.register(`eve${Date.now()}`);
    for (const [client, event] of [
      [eve, root],
      [alice, '$none'],
    ] as const) {
      const path = `/_matrix/client/v1${room(roomId, `/relations/${event}`)}`;
      expect(await client.request('GET', path)).toMatchObject({
        status: 404,
        body: { errcode: 'M_NOT_FOUND' },
      });
    }
    const path = `/_matrix/client/v1${room(roomId, `/relations/${root}`)}`;
    expect((await world.request('GET', path)).status).toBe(401);
    expect((await alice.request('GET', path, { query: { from: 'x' } })).status).toBe(400);
  });

  it('16: takes relations that are no event IDs for none', async () => {
    const roomId = await pair();
    const wrong = [
      { rel_type: 'm.thread', event_id: 'x'.repeat(4000) },
      { rel_type: 1, event_id: {} },
      'x',
      [],
    ];
    for (const relation of wrong) await send(alice, roomId, relation as object);
    const { timeline } = (await sync(bob)).rooms.join[roomId]!;
    expect(said(timeline.events)).toHaveLength(4);
    expect(idsOf(await get(bob, roomId, '/threads'))).toEqual([]);
  });
});

describe('bundled relations', () => {
  it('are the newest edit by the sender, the thread, and references; no reactions', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    await edit(alice, roomId, root, 'first edit');
    const last = await edit(alice, roomId, root, 'last edit');
    await edit(bob, roomId, root, 'not mine to edit');
    await answer(alice, roomId, root);
    const latest = await answer(alice, roomId, root, 'latest');
    const reference = await send(bob, roomId, { rel_type: 'm.reference', event_id: root });
    await react(bob, roomId, root);
    const expected = {
      'm.replace': { event_id: last, content: { body: 'last edit' } },
      'm.thread': { latest_event: { event_id: latest }, count: 2, current_user_participated: false },
      'm.reference': { chunk: [{ event_id: reference }] },
    };
    expect(await bundled(bob, roomId, root)).toMatchObject(expected);
    expect(await bundled(alice, roomId, root)).toMatchObject({
      'm.thread': { current_user_participated: true },
    });
    expect((await eventOf(bob, roomId, root)).content['body']).toBe('root');
    const inSync = (await sync(bob)).rooms.join[roomId]!.timeline.events.find((one) => one.event_id === root);
    expect(inSync?.unsigned?.['m.relations']).toMatchObject(expected);
    const { chunk } = (await bob.call('GET', room(roomId, '/messages?dir=b&limit=20'))) as unknown as Page;
    const inPage = chunk.find((one) => one.event_id === root);
    expect(inPage?.unsigned?.['m.relations']).toMatchObject(expected);
    expect(await bundled(bob, roomId, latest)).toBeUndefined();
  });

  it('are of the room alone, and go with a redaction', async () => {
    const roomId = await pair();
    const root = await say(alice, roomId, 'root');
    await edit(alice, await pair(), root, 'in another room');
    expect(await bundled(bob, roomId, root)).toBeUndefined();
    await edit(alice, roomId, root, 'edited');
    expect(await bundled(bob, roomId, root)).toMatchObject({ 'm.replace': {} });
    await alice.call('PUT', room(roomId, `/redact/${root}/x${(transactions += 1)}`), {});
    expect(await bundled(bob, roomId, root)).not.toMatchObject({ 'm.replace': {} });
  });
});

describe('GET /threads', () => {
  it('answers the threads with the newest answers first, page by page', async () => {
    const roomId = await pair();
    const roots = [
      await say(alice, roomId, 'one'),
      await say(alice, roomId, 'two'),
      await say(alice, roomId, 'three'),
    ];
    for (const root of [...roots, roots[0]!]) await answer(alice, roomId, root);
    const first = await get(bob, roomId, '/threads', { limit: 2 });
    expect(idsOf(first)).toEqual([roots[0], roots[2]]);
    expect(first.chunk[0]?.unsigned?.['m.relations']).toMatchObject({ 'm.thread': { count: 2 } });
    const second = await get(bob, roomId, '/threads', { limit: 2, from: first.next_batch });
    expect(idsOf(second)).toEqual([roots[1]]);
    expect(second.next_batch).toBeUndefined();
    expect(idsOf(await get(bob, roomId, '/threads', { include: 'participated' }))).toEqual([]);
    await answer(bob, roomId, roots[1]!);
    expect(idsOf(await get(bob, roomId, '/threads', { include: 'participated' }))).toEqual([roots[1]]);
  });

  it('is for those who may look at the room', async () => {
    const roomId = await pair();
    const eve = await world.register(`mallory${Date.now()}`);
    const path = `/_matrix/client/v1${room(roomId, '/threads')}`;
    expect(await eve.request('GET', path)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  });
});
