import { type Peer, peerSettings, rowsOf, startPeer, startWorld, type World } from '@seneschal/testing';

import { deliver } from './asking.ts';
import { enterRoom, type Foothold } from './foothold.ts';
import { say } from './sharing.ts';

const hour = 3_600_000;

let world: World, peer: Peer;
let foothold: Foothold;
beforeEach(async () => {
  const settings = { ...peerSettings, SENESCHAL_FEDERATION_RETRY_MIN: '1h' };
  [world, peer] = await Promise.all([startWorld({ settings }), startPeer()]);
  const alice = await world.register('alice');
  foothold = await enterRoom({ world, peer, alice });
  await world.settled();
  answer(502);
  await say(alice, foothold.roomId, 'while the server is away');
  await waited((one) => one.failures === 1);
});
afterEach(() => Promise.all([world.stop(), peer.stop()]));

interface Destination {
  failures: number;
  next: number;
}

async function destination(): Promise<Destination> {
  const [found] = await rowsOf<Destination>(
    world.sql,
    'SELECT failures, next_try_ts AS next FROM federation_destinations',
  );
  return found ?? { failures: 0, next: 0 };
}

async function waited(isSo: (one: Destination) => boolean): Promise<Destination> {
  for (;;) {
    const one = await destination();
    if (isSo(one)) return one;
    await world.settled();
  }
}

function answer(status: number): void {
  peer.answer('/_matrix/federation/v1/send/', () => ({ status, body: { pdus: {} } }));
}

const failedAt = (ts: number): Promise<unknown> =>
  rowsOf(world.sql, `UPDATE federation_destinations SET last_failure_ts = ${ts}`);

describe('a server that was away', () => {
  it('is sent to again as soon as it sends something', async () => {
    answer(200);
    await failedAt(Date.now() - 2 * hour);
    await deliver(peer, world, { pdus: [] });
    await waited((one) => one.failures === 0);
    expect(await rowsOf(world.sql, 'SELECT FROM federation_queue')).toEqual([]);
  });

  it('is tried no oftener for sending and not answering', async () => {
    const before = await destination();
    for (let count = 0; count < 3; count += 1) await deliver(peer, world, { pdus: [] });
    await world.settled();
    expect(await destination()).toEqual(before);
    await failedAt(Date.now() - 2 * hour);
    await deliver(peer, world, { pdus: [] });
    const after = await waited((one) => one.failures === 2);
    expect(after.next).toBeGreaterThan(Date.now() + hour);
    await deliver(peer, world, { pdus: [] });
    expect(await destination()).toEqual(after);
  });
});
