import { allDelivered, rowsOf, startFederatedWorld, type TestClient, type World } from '@seneschal/testing';

import { joinVia, say } from './sharing.ts';

let here: World, there: World;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([startFederatedWorld(), startFederatedWorld()]);
  [alice, bob] = await Promise.all([here.register('alice'), there.register('bob')]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

/** A room of Alice and Bob with one message by Alice; answers both IDs. */
async function share(): Promise<{ roomId: string; eventId: string }> {
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await joinVia(bob, roomId, here);
  await allDelivered(here, there);
  const eventId = await say(alice, roomId, 'read me');
  await allDelivered(here, there);
  return { roomId, eventId };
}

const read = (who: TestClient, roomId: string, type: string, eventId: string, body: object = {}) =>
  who.call(
    'POST',
    `/rooms/${encodeURIComponent(roomId)}/receipt/${type}/${encodeURIComponent(eventId)}`,
    body,
  );
const type = (who: TestClient, roomId: string, body: object) =>
  who.call('PUT', `/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(who.userId)}`, body);

interface Answer {
  next_batch: string;
  rooms: { join: Record<string, { ephemeral: { events: Told[] } }> };
}
interface Told {
  type: string;
  content: Record<string, unknown>;
}

function toldOf(answer: Answer, roomId: string, eventType: string): Told['content'] | undefined {
  const events = answer.rooms.join[roomId]?.ephemeral.events ?? [];
  return events.find((event) => event.type === eventType)?.content;
}

/** What a user is told of a room now. */
async function told(
  who: TestClient,
  roomId: string,
  eventType: string,
): Promise<Told['content'] | undefined> {
  return toldOf((await who.call('GET', '/sync')) as unknown as Answer, roomId, eventType);
}

/** Syncs until somebody, or nobody, is told to be typing. */
async function untilTyping(who: TestClient, roomId: string, userIds: string[]): Promise<void> {
  for (let since = '', seen: unknown; JSON.stringify(seen) !== JSON.stringify(userIds);) {
    const query = since === '' ? '' : `?since=${since}&timeout=20000`;
    const answer = (await who.call('GET', `/sync${query}`)) as unknown as Answer;
    since = answer.next_batch;
    seen = toldOf(answer, roomId, 'm.typing')?.['user_ids'] ?? (query === '' ? [] : seen);
  }
}

describe('read receipts', () => {
  it('are told to the other servers of a room, threads apart, and move on only', async () => {
    const { roomId, eventId } = await share();
    await read(bob, roomId, 'm.read', eventId);
    await allDelivered(here, there);
    const ts = expect.any(Number) as number;
    expect(await told(alice, roomId, 'm.receipt')).toEqual({
      [eventId]: { 'm.read': { [bob.userId]: { ts } } },
    });
    const later = await say(alice, roomId, 'and me');
    await allDelivered(here, there);
    await read(bob, roomId, 'm.read', later, { thread_id: 'main' });
    await read(bob, roomId, 'm.read', later);
    await read(bob, roomId, 'm.read', eventId);
    await allDelivered(here, there);
    const receipts = await rowsOf<{ thread_id: string; event_id: string }>(
      here.sql,
      `SELECT thread_id, event_id FROM userapi_receipts WHERE user_id = '${bob.userId}'
        AND room_id = '${roomId}' ORDER BY thread_id`,
    );
    expect(receipts).toEqual([
      { thread_id: '', event_id: later },
      { thread_id: 'main', event_id: later },
    ]);
  });

  it('that are private stay on their server', async () => {
    const { roomId, eventId } = await share();
    await read(bob, roomId, 'm.read.private', eventId);
    await allDelivered(here, there);
    expect(await told(alice, roomId, 'm.receipt')).toBeUndefined();
    expect(await rowsOf(there.sql, 'SELECT FROM federation_ephemeral')).toEqual([]);
  });
});

describe('typing', () => {
  it('is told to the other servers of a room, when it begins and when it stops', async () => {
    const { roomId } = await share();
    await type(bob, roomId, { typing: true, timeout: 60_000 });
    await untilTyping(alice, roomId, [bob.userId]);
    await type(bob, roomId, { typing: false });
    await untilTyping(alice, roomId, []);
  });

  it('stops by itself, for other servers too', async () => {
    const { roomId } = await share();
    await type(bob, roomId, { typing: true, timeout: 300 });
    await untilTyping(alice, roomId, [bob.userId]);
    await untilTyping(alice, roomId, []);
  });
});
