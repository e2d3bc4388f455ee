import type { TestClient } from '@seneschal/testing';

import { openStage } from './stage.ts';
import { room, said, say, setState, sync } from './syncing.ts';

let alice: TestClient, bob: TestClient;
openStage((stage) => ({ alice, bob } = stage));

const all = Array.from({ length: 12 }, (_, index) => String(index + 1));

describe('room versions', () => {
  it('are listed by /capabilities, every one of them stable, 12 being the default', async () => {
    const { capabilities } = (await alice.call('GET', '/capabilities')) as {
      capabilities: Record<string, { default: string; available: Record<string, string> }>;
    };
    expect(capabilities['m.room_versions']).toEqual({
      default: '12',
      available: Object.fromEntries(all.map((version) => [version, 'stable'])),
    });
  });

  it('that nobody knows are refused', async () => {
    for (const version of ['0', '13', '', 'org.example.custom']) {
      const body = { room_version: version };
      const answer = await alice.request('POST', '/_matrix/client/v3/createRoom', { body });
      expect([answer.status, answer.body['errcode']]).toEqual([400, 'M_UNSUPPORTED_ROOM_VERSION']);
    }
  });

  it.each(all)('%s: a room is made, entered, talked in, looked at and left', async (version) => {
    const roomId = await alice.createRoom({ room_version: version, preset: 'public_chat', name: 'Hall' });
    await bob.join(roomId);
    const eventId = await say(bob, roomId, 'hello');
    await setState(alice, roomId, 'm.room.topic', { topic: 'Moby' });
    const create = await alice.call('GET', room(roomId, '/state/m.room.create?format=event'));
    expect(create['content']).toMatchObject({ room_version: version });
    const path = room(roomId, `/event/${encodeURIComponent(eventId)}`);
    expect(await bob.call('GET', path)).toMatchObject({ event_id: eventId, content: { body: 'hello' } });
    expect(said((await sync(alice)).rooms.join[roomId]?.timeline.events ?? [])).toEqual(['hello']);
    await alice.call('PUT', room(roomId, `/redact/${encodeURIComponent(eventId)}/r${version}`), {});
    expect((await bob.call('GET', path))['content']).toEqual({});
    await bob.leave(roomId);
    expect(await bob.joinedRooms()).not.toContain(roomId);
  });
});
