import type { TestClient, World } from '@seneschal/testing';

import { openStage, roomOf } from './stage.ts';
import { room, say, setState, sync } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const v1 = '/_matrix/client/v1';
const v3 = '/_matrix/client/v3';

/** Everything that tells of a room or an event in it. */
const reads = (roomId: string, eventId: string): string[] => {
  const event = encodeURIComponent(eventId);
  return [
    ...['/messages?dir=b', '/state', '/state/m.room.name/', '/members', '/joined_members', '/aliases'].map(
      (path) => `${v3}${room(roomId, path)}`,
    ),
    `${v3}${room(roomId, `/event/${event}`)}`,
    `${v3}${room(roomId, `/context/${event}`)}`,
    `${v1}${room(roomId, `/relations/${event}`)}`,
    `${v1}${room(roomId, '/threads')}`,
    `${v1}${room(roomId, '/hierarchy')}`,
    `${v1}${room(roomId, '/timestamp_to_event?ts=0&dir=f')}`,
    `${v1}/room_summary/${encodeURIComponent(roomId)}`,
  ];
};

const search = async (client: TestClient): Promise<string> => {
  const body = { search_categories: { room_events: { search_term: 'secret' } } };
  return JSON.stringify(await client.call('POST', '/search', body));
};

const all = { filter: { room: { include_leave: true, timeline: { limit: 100 } } } };

describe('row 22: those who are not in a room', () => {
  it('CVE-2021-39164: see neither its members nor anything else of it', async () => {
    const roomId = await alice.createRoom({ preset: 'private_chat', name: 'secret' });
    const eventId = await say(alice, roomId, 'secret');
    await world.settled();
    for (const path of reads(roomId, eventId)) {
      const { status, text } = await bob.request('GET', path);
      expect([path, [403, 404].includes(status)]).toEqual([path, true]);
      expect(text).not.toMatch(/secret|alice/);
    }
    expect(JSON.stringify(await sync(bob, all))).not.toContain(roomId);
    expect(await search(bob)).not.toContain(eventId);
  });

  it('CVE-2024-53867: see nothing of what comes after they were evacuated', async () => {
    const admin = await world.register('admin', { admin: true });
    const carol = await world.register('carol');
    const roomId = await roomOf(alice, carol);
    const before = await say(alice, roomId, 'before');
    const evacuated = await admin.request(
      'POST',
      `/_dendrite/admin/evacuateUser/${encodeURIComponent(carol.userId)}`,
    );
    expect([evacuated.status, evacuated.body]).toEqual([200, { affected: [roomId] }]);
    await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'invite' });
    await setState(alice, roomId, 'm.room.name', { name: 'secret' });
    const eventId = await say(alice, roomId, 'secret');
    await bobKnocksInVain(roomId);
    await world.settled();
    for (const path of [...reads(roomId, eventId), ...reads(roomId, before)]) {
      const { text } = await carol.request('GET', path);
      expect([path, text.includes('secret')]).toEqual([path, false]);
    }
    expect((await carol.request('GET', `${v3}${room(roomId, `/event/${eventId}`)}`)).status).toBe(404);
    expect((await carol.request('GET', `${v3}${room(roomId, `/event/${before}`)}`)).status).toBe(200);
    expect(JSON.stringify(await sync(carol, all))).not.toContain('secret');
    expect(await search(carol)).not.toContain(eventId);
  });
});

async function bobKnocksInVain(roomId: string): Promise<void> {
  expect((await bob.request('POST', `${v3}/join/${encodeURIComponent(roomId)}`, { body: {} })).status).toBe(
    403,
  );
}
