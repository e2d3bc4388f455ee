import { deviceKeysOf, type TestClient } from '@seneschal/testing';

import { joinVia, say } from '../../apps/federation-gateway/test/sharing.ts';
import { PeerServer } from './peer-server.ts';
import { agreed, eventually, isFull, sayMany } from './talk.ts';

const hour = 3_600_000;
const offsets: [how: string, ms: number][] = [
  ['an hour slow', -hour],
  ...(isFull ? [['an hour fast', hour] as [string, number]] : []),
  ['a day fast', 24 * hour],
];

let here: PeerServer, there: PeerServer;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([PeerServer.start(), PeerServer.start()]);
  [alice, bob] = await Promise.all([here.register('alice'), there.register('bob')]);
}, 120_000);
afterAll(() => Promise.all([here.stop(), there.stop()]));

async function shareOf(owner: TestClient, home: PeerServer, guest: TestClient): Promise<string> {
  const roomId = await owner.createRoom({ preset: 'public_chat', room_version: '10' });
  await joinVia(guest, roomId, home);
  return roomId;
}

describe('devices', () => {
  /** All that was sent to Bob's device, oldest first, and who has changed devices. */
  async function inbox(): Promise<{ numbers: number[]; changed: string[] }> {
    const sync = await bob.call('GET', '/sync');
    const { events } = sync['to_device'] as { events: { content: { n: number } }[] };
    const asked = { device_keys: { [alice.userId]: [] } };
    const { device_keys: keys } = await bob.call('POST', '/keys/query', asked);
    const devices = (keys as Record<string, object>)[alice.userId] ?? {};
    return { numbers: events.map(({ content }) => content.n), changed: Object.keys(devices) };
  }

  it('are told of, and sent to, in order after the network was cut', async () => {
    const roomId = await shareOf(alice, here, bob);
    await alice.call('POST', '/keys/upload', {
      device_keys: deviceKeysOf(alice.userId, alice.deviceId).json,
    });
    const before = await eventually(inbox, ({ changed }) => changed.length === 1);
    expect(before.changed).toEqual([alice.deviceId]);
    there.proxy.set('cut');
    const second = await here.logIn('alice');
    await second.call('POST', '/keys/upload', {
      device_keys: deviceKeysOf(second.userId, second.deviceId).json,
    });
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    for (const n of numbers) {
      const messages = { [bob.userId]: { [bob.deviceId]: { n } } };
      await second.call('PUT', `/sendToDevice/m.room_key/n${n}`, { messages });
    }
    await say(alice, roomId, 'with keys');
    await there.kill();
    await there.run();
    there.proxy.set('open');
    bob = await there.client('bob');
    const after = await eventually(inbox, (found) => found.numbers.length === numbers.length);
    expect(after.numbers).toEqual(numbers);
    expect(after.changed.sort()).toEqual([alice.deviceId, second.deviceId].sort());
  }, 180_000);
});

describe('a server whose clock is wrong', () => {
  it.each(offsets)(
    'by %s shares rooms all the same',
    async (_how, offset) => {
      await there.kill();
      await there.run(offset);
      bob = await there.client('bob');
      for (const roomId of [await shareOf(alice, here, bob), await shareOf(bob, there, alice)]) {
        await sayMany(alice, roomId, 'alice', 3);
        await sayMany(bob, roomId, 'bob', 3);
        const [first, second] = await agreed([alice, bob], roomId, 6);
        expect(first).toEqual(second);
        expect(first?.texts).toHaveLength(6);
      }
    },
    120_000,
  );
});
