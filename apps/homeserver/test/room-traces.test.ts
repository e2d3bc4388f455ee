import { purgeRoomJob } from '@seneschal/contracts';
import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import {
  allTables,
  keysNaming,
  mayRemain,
  namesOf,
  neverOfARoom,
  roomTables,
  type RoomNames,
  rowsNaming,
} from './traces.ts';

const path = (roomId: string, rest: string): string => `/rooms/${encodeURIComponent(roomId)}${rest}`;

let transactions = 0;

async function send(client: TestClient, roomId: string, type: string, content: object): Promise<string> {
  transactions += 1;
  const sent = await client.call('PUT', path(roomId, `/send/${type}/t${transactions}`), content);
  return sent['event_id'] as string;
}

/**
 * Uses a room in every way in which something of it is stored. A table that is new, and holds something of
 * rooms, gets its line here.
 */
async function useRoom(world: World, alice: TestClient, bob: TestClient): Promise<string> {
  const roomId = await alice.createRoom({ preset: 'public_chat', room_alias_name: 'traces', name: 'Traces' });
  await bob.join(roomId);
  const text = { msgtype: 'm.text', body: 'Call me Ishmael' };
  const first = await send(alice, roomId, 'm.room.message', text);
  const edit = { ...text, 'm.new_content': text, 'm.relates_to': { rel_type: 'm.replace', event_id: first } };
  await send(alice, roomId, 'm.room.message', edit);
  const second = await send(bob, roomId, 'm.room.message', text);
  await alice.call('PUT', path(roomId, `/redact/${second}/r1`), {});
  for (const client of [alice, bob]) {
    const own = `/user/${client.userId}/rooms/${encodeURIComponent(roomId)}`;
    await client.call('PUT', `${own}/account_data/org.example`, { of: roomId });
    await client.call('PUT', `${own}/tags/m.favourite`, { order: 0.5 });
  }
  await bob.call('POST', path(roomId, `/receipt/m.read/${first}`), {});
  const { version } = await alice.call('POST', '/room_keys/version', { algorithm: 'a', auth_data: {} });
  const session = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
  const backup = `/room_keys/keys/${encodeURIComponent(roomId)}/session?version=${version as string}`;
  await alice.call('PUT', backup, session);
  await bob.call('POST', path(roomId, `/report/${first}`), { reason: 'too long' });
  const sliding = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
  await alice.request('POST', sliding, { body: { lists: { all: { ranges: [[0, 9]] } } } });
  await bob.leave(roomId);
  await bob.call('POST', path(roomId, '/forget'), {});
  // As if server notices came in it: a room of users is never one of those.
  await sql`
    INSERT INTO roomserver_notice_rooms (user_id, room_nid, created_ts)
    SELECT ${bob.userId}, room_nid, 0 FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(world.sql);
  await shareRoom(world, roomId);
  return roomId;
}

/** As if other servers were in it: what is kept of forks, of refused events, and of invites. */
async function shareRoom(world: World, roomId: string): Promise<void> {
  const room = sql`FROM roomserver_rooms WHERE room_id = ${roomId}`;
  for (const statement of [
    sql`INSERT INTO roomserver_hidden_events SELECT '$hidden', room_nid, 'rejected', '{}' ${room}`,
    sql`INSERT INTO roomserver_event_states SELECT '$hidden', room_nid, 1, '[]' ${room}`,
    sql`INSERT INTO roomserver_state_overrides SELECT room_nid, 'm.room.topic', '', 1, NULL ${room}`,
    sql`INSERT INTO roomserver_room_servers SELECT room_nid, 'gone.example', 0 ${room}`,
    sql`INSERT INTO roomserver_invite_states SELECT room_nid, '@invited:test.example', '[]' ${room}`,
  ]) {
    await statement.execute(world.sql);
  }
}

/** What still names the room, by table. */
async function tracesOf(world: World, names: RoomNames, tables: readonly string[]) {
  const counts = await Promise.all(
    tables.map(async (table) => [table, await rowsNaming(world.sql, table, names)] as const),
  );
  return Object.fromEntries(counts);
}

describe('everything that is stored of a room', () => {
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  beforeAll(async () => {
    world = await startWorld();
    alice = await world.register('alice');
    bob = await world.register('bob');
  });
  afterAll(() => world.stop());

  it('G5: goes with it, from every table of the database and every queue', async () => {
    const roomId = await useRoom(world, alice, bob);
    const { jobs, config } = world.homeserver.platform;
    await world.settled();
    const names = await namesOf(world.sql, roomId);
    const excused = new Set([...Object.keys(mayRemain), ...Object.keys(neverOfARoom)]);
    const watched = (await roomTables(world.sql)).filter((table) => !excused.has(table));
    const before = await tracesOf(world, names, watched);
    // A table of which this says 0 holds something of rooms, and `useRoom` has to put something there.
    expect(Object.entries(before).filter(([, rows]) => rows === 0)).toEqual([]);

    const input = { roomId, block: false, evacuate: true, export: false };
    const { jobId } = await jobs.start(purgeRoomJob, input, { requestedBy: alice.userId });
    expect(await jobs.wait(jobId, 60_000)).toMatchObject({ state: 'completed', lastError: null });
    await world.settled();

    const tables = (await allTables(world.sql)).filter((table) => !(table in mayRemain));
    const after = await tracesOf(world, names, tables);
    expect(Object.entries(after).filter(([, rows]) => rows > 0)).toEqual([]);
    const redis = { url: config.redis_url, prefix: config.redis_prefix };
    expect(await keysNaming(redis, names)).toEqual([]);
  });
});
