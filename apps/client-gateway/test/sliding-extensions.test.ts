import type { TestClient, World } from '@seneschal/testing';
import { sql } from 'kysely';

import { everything, slide } from './sliding.ts';
import { openStage, roomOf } from './stage.ts';
import { room, say, setState } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

let messages = 0;
async function sendTo(client: TestClient, body: string): Promise<void> {
  messages += 1;
  const path = `/sendToDevice/org.example.note/m${messages}`;
  await bob.call('PUT', path, { messages: { [client.userId]: { [client.deviceId]: { body } } } });
}

describe('messages to the device', () => {
  const asked = (more: object = {}): object => ({ extensions: { to_device: { enabled: true, ...more } } });

  it('come until the client says by its token that it has them', async () => {
    const carol = await world.register('carol');
    for (const body of ['one', 'two', 'three']) await sendTo(carol, body);
    const first = await slide(carol, asked({ limit: 2 }));
    const bodies = ({ extensions }: typeof first): unknown[] =>
      extensions.to_device!.events.map(({ content }) => (content as { body: string }).body);
    expect(bodies(first)).toEqual(['one', 'two']);
    expect(bodies(await slide(carol, asked({ limit: 2 }), { pos: first.pos }))).toEqual(['one', 'two']);
    const since = first.extensions.to_device!.next_batch;
    const second = await slide(carol, asked({ since }), { pos: first.pos });
    expect(bodies(second)).toEqual(['three']);
    // A new connection does not bring back what the client has.
    expect(bodies(await slide(carol, asked()))).toEqual(['three']);
  });

  it('wake who waits, and are not told to who does not ask', async () => {
    const { pos, extensions } = await slide(alice, asked());
    const since = extensions.to_device!.next_batch;
    const waiting = slide(alice, asked({ since }), { pos, timeout: 30_000 });
    await sendTo(alice, 'wake up');
    expect((await waiting).extensions.to_device!.events).toHaveLength(1);
    expect((await slide(alice, {})).extensions).toEqual({});
  });
});

describe('end-to-end encryption', () => {
  it('has the counts of keys, and whose devices changed', async () => {
    const dora = await world.register('dora');
    const roomId = await roomOf(dora, bob);
    await setState(dora, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    const asked = { extensions: { e2ee: { enabled: true } } };
    const first = await slide(dora, asked);
    expect(first.extensions.e2ee).toMatchObject({ device_one_time_keys_count: { signed_curve25519: 0 } });
    expect(first.extensions.e2ee).not.toHaveProperty('device_lists');
    const keys = { algorithms: [], device_id: bob.deviceId, keys: {}, signatures: {}, user_id: bob.userId };
    await bob.call('POST', '/keys/upload', { device_keys: keys });
    const second = await slide(dora, asked, { pos: first.pos });
    expect(second.extensions.e2ee!.device_lists).toEqual({ changed: [bob.userId], left: [] });
  });
});

describe('account data', () => {
  it('is told whole at first and of rooms that are new, then what changed', async () => {
    const erin = await world.register('erin');
    const roomId = await roomOf(erin, bob);
    const own = `/user/${erin.userId}`;
    const inRoom = `${own}/rooms/${encodeURIComponent(roomId)}/account_data/org.example`;
    await erin.call('PUT', inRoom, { n: 1 });
    const asked = { lists: everything(), extensions: { account_data: { enabled: true } } };
    const first = await slide(erin, asked);
    expect(first.extensions.account_data!.global.map(({ type }) => type)).toEqual(['m.push_rules']);
    expect(first.extensions.account_data!.rooms[roomId]).toEqual([
      { type: 'org.example', content: { n: 1 } },
    ]);
    await erin.call('PUT', inRoom, { n: 2 });
    const second = await slide(erin, asked, { pos: first.pos });
    expect(second.extensions.account_data).toEqual({
      global: [],
      rooms: { [roomId]: [{ type: 'org.example', content: { n: 2 } }] },
    });
    expect((await slide(erin, asked, { pos: second.pos })).extensions).toEqual({});
  });

  it('tells a room again that has become a direct chat', async () => {
    const fay = await world.register('fay');
    const roomId = await roomOf(fay, bob);
    const first = await slide(fay, { lists: everything() });
    await fay.call('PUT', `/user/${fay.userId}/account_data/m.direct`, { [bob.userId]: [roomId] });
    const second = await slide(fay, { lists: everything() }, { pos: first.pos });
    expect(second.rooms[roomId]).toMatchObject({ is_dm: true, timeline: [] });
    const direct = everything({ filters: { is_dm: true } });
    expect((await slide(fay, { lists: direct })).lists['all']!.count).toBe(1);
    const others = everything({ filters: { is_dm: false } });
    expect((await slide(fay, { lists: others })).lists['all']!.count).toBe(0);
  });
});

describe('receipts and typing', () => {
  it('come as they do in plain sync, of the lists that are named', async () => {
    const gus = await world.register('gus');
    const roomId = await roomOf(gus, bob);
    const eventId = await say(gus, roomId, 'read me');
    const body = (lists: string[]): object => ({
      lists: everything(),
      extensions: { receipts: { enabled: true, lists }, typing: { enabled: true, lists } },
    });
    const first = await slide(gus, body(['all']));
    await bob.call('POST', room(roomId, `/receipt/m.read/${eventId}`), {});
    await bob.call('PUT', room(roomId, `/typing/${bob.userId}`), { typing: true, timeout: 30_000 });
    const other = await slide(gus, body(['other']), { pos: first.pos });
    expect(other.extensions).toEqual({});
    const second = await slide(gus, body(['all']), { pos: first.pos });
    const content = second.extensions.receipts!.rooms[roomId]!.content;
    expect(Object.keys(content[eventId]!['m.read']!)).toEqual([bob.userId]);
    expect(second.extensions.typing!.rooms[roomId]!.content.user_ids).toEqual([bob.userId]);
    const anew = await slide(gus, body(['*']));
    expect(Object.keys(anew.extensions.receipts!.rooms)).toEqual([roomId]);
    expect(anew.extensions.typing!.rooms[roomId]!.content.user_ids).toEqual([bob.userId]);
  });
});

describe('filters', () => {
  it('choose by type, encryption, invite, tag and space', async () => {
    const hal = await world.register('hal');
    const space = await hal.createRoom({ creation_content: { type: 'm.space' } });
    const secret = await hal.createRoom({});
    await setState(hal, secret, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    const child = await hal.createRoom({});
    await setState(hal, space, 'm.space.child', { via: ['test.example'] }, child);
    await hal.call('PUT', `/user/${hal.userId}/rooms/${encodeURIComponent(child)}/tags/m.favourite`, {});
    const invited = await bob.createRoom({});
    await bob.invite(invited, hal.userId);
    const filtered = async (filters: object): Promise<string[]> => {
      const { lists, rooms } = await slide(hal, { lists: everything({ filters }) });
      expect(lists['all']!.count).toBe(Object.keys(rooms).length);
      return Object.keys(rooms).sort();
    };
    const all = [space, secret, child, invited].sort();
    const but = (roomId: string): string[] => all.filter((one) => one !== roomId);
    expect(await filtered({})).toEqual(all);
    expect(await filtered({ room_types: ['m.space'] })).toEqual([space]);
    expect(await filtered({ room_types: [null] })).toEqual(but(space));
    expect(await filtered({ not_room_types: ['m.space'] })).toEqual(but(space));
    expect(await filtered({ is_encrypted: true })).toEqual([secret]);
    expect(await filtered({ is_encrypted: false })).toEqual(but(secret));
    expect(await filtered({ is_invite: true })).toEqual([invited]);
    expect(await filtered({ is_invite: false })).toEqual(but(invited));
    expect(await filtered({ tags: ['m.favourite', 'u.x'] })).toEqual([child]);
    expect(await filtered({ not_tags: ['m.favourite'] })).toEqual(but(child));
    expect(await filtered({ spaces: [space, '!unknown:test.example'] })).toEqual([child]);
  });
});

describe('what is kept of a connection', () => {
  const connections = async (client: TestClient): Promise<number> => {
    const found = await sql`SELECT FROM syncapi_connections WHERE user_id = ${client.userId}`.execute(
      world.sql,
    );
    return found.rows.length;
  };

  it('is bounded by device, and goes with the device and the account', async () => {
    const ida = await world.register('ida', { password: 'correct horse battery' });
    const roomId = await roomOf(ida, bob);
    for (let n = 0; n < 12; n += 1) await slide(ida, { conn_id: `c${n}`, lists: everything() });
    expect(await connections(ida)).toBe(10);
    await ida.call('POST', '/logout', {});
    await world.settled();
    expect(await connections(ida)).toBe(0);
    const rows = await sql`SELECT FROM syncapi_connection_rooms WHERE room_id = ${roomId}`.execute(world.sql);
    expect(rows.rows).toEqual([]);
  });

  it('is one row for a room, however many answers told of it', async () => {
    const joe = await world.register('joe');
    const roomId = await roomOf(joe, bob);
    let { pos } = await slide(joe, { lists: everything() });
    for (let n = 0; n < 4; n += 1) {
      await say(bob, roomId, `message ${n}`);
      await slide(joe, { lists: everything() }, { pos });
      ({ pos } = await slide(joe, { lists: everything() }, { pos }));
    }
    await slide(joe, { lists: everything() }, { pos });
    const rows = await sql`SELECT FROM syncapi_connection_rooms WHERE room_id = ${roomId}`.execute(world.sql);
    expect(rows.rows).toHaveLength(1);
  });
});
