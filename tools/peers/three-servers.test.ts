import type { TestClient } from '@seneschal/testing';

import { joinVia, membersOf, say, setState } from '../../apps/federation-gateway/test/sharing.ts';
import { PeerServer } from './peer-server.ts';
import { agreed, allTexts, eventually, failuresOf, isFull, sayMany, waitingFor } from './talk.ts';

/** More than one transaction holds. */
const many = isFull ? 500 : 55;

let first: PeerServer, second: PeerServer, third: PeerServer;
let admin: TestClient, alice: TestClient, bob: TestClient, carol: TestClient;
beforeAll(async () => {
  [first, second, third] = await Promise.all([PeerServer.start(), PeerServer.start(), PeerServer.start()]);
  [admin, alice, bob, carol] = await Promise.all([
    first.register('admin', { admin: true }),
    first.register('alice'),
    second.register('bob'),
    third.register('carol'),
  ]);
}, 120_000);
afterAll(() => Promise.all([first.stop(), second.stop(), third.stop()]));

/** A room of Bob that one user of each other server has joined. */
async function share(): Promise<string> {
  const roomId = await bob.createRoom({ preset: 'public_chat', room_version: '11' });
  await joinVia(alice, roomId, second);
  await joinVia(carol, roomId, second);
  await eventually(
    () => membersOf(alice, roomId),
    (members) => members.length === 3,
  );
  return roomId;
}

async function administer(what: string): Promise<unknown> {
  const { status, body, text } = await admin.request('POST', `/_dendrite/admin/${what}`, { body: {} });
  if (status !== 200) throw new Error(`${what}: ${status} ${text}`);
  return body['affected'];
}

describe('three servers', () => {
  it('are disturbed by none that is dead, which gets everything when it is back', async () => {
    const roomId = await share();
    await sayMany(carol, roomId, 'carol', 3);
    await agreed([alice, bob, carol], roomId, 3);
    await third.kill();
    for (const [who, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const)
      await sayMany(who, roomId, name, many);
    await setState(bob, roomId, 'm.room.topic', { topic: 'without Carol' });
    const [atFirst, atSecond] = await agreed([alice, bob], roomId, 2 * many + 3);
    expect(atFirst).toEqual(atSecond);
    for (const server of [first, second]) {
      const failures = await eventually(
        () => failuresOf(server, third),
        (count) => count > 0,
      );
      expect(failures).toBeGreaterThan(0);
    }
    await third.run();
    carol = await third.client('carol');
    const seen = await agreed([alice, bob, carol], roomId, 2 * many + 3);
    expect(seen[2]).toEqual(atFirst);
    expect(seen[1]).toEqual(atFirst);
    await say(carol, roomId, 'back');
    const last = await agreed([alice, bob, carol], roomId, 2 * many + 4);
    expect(last[0]).toEqual(last[2]);
  }, 240_000);

  it('all see who was evacuated, and who is back after the room was purged on one', async () => {
    const roomId = await share();
    await joinVia(admin, roomId, second);
    await sayMany(bob, roomId, 'before', 2);
    await agreed([alice, bob, carol], roomId, 2);
    const evacuated = await administer(`evacuateRoom/${encodeURIComponent(roomId)}`);
    expect((evacuated as string[]).sort()).toEqual([admin.userId, alice.userId].sort());
    const others = [bob.userId, carol.userId].sort();
    for (const who of [bob, carol]) {
      const members = await eventually(
        () => membersOf(who, roomId),
        (found) => found.length === 2,
      );
      expect(members).toEqual(others);
    }
    await administer(`purgeRoom/${encodeURIComponent(roomId)}`);
    await sayMany(carol, roomId, 'between', 2);
    expect(
      await eventually(
        () => allTexts(bob, roomId),
        (texts) => texts.length === 4,
      ),
    ).toHaveLength(4);
    await joinVia(alice, roomId, third);
    // What Bob says before his server knows of it goes to Carol's alone.
    await eventually(
      () => membersOf(bob, roomId),
      (found) => found.includes(alice.userId),
    );
    await sayMany(alice, roomId, 'after', 2);
    await sayMany(bob, roomId, 'answer', 2);
    for (const who of [alice, bob, carol]) {
      const texts = await eventually(
        () => allTexts(who, roomId),
        (found) => found.includes('answer 2') && found.includes('after 2'),
      );
      expect(texts.filter((text) => /^(after|answer)/.test(text)).sort()).toEqual(
        ['after 1', 'after 2', 'answer 1', 'answer 2'].sort(),
      );
      expect(await membersOf(who, roomId)).toEqual([alice.userId, ...others].sort());
    }
    for (const [from, to] of [
      [first, second],
      [second, third],
      [third, first],
    ] as const) {
      const waiting = await eventually(
        () => waitingFor(from, to),
        (count) => count === 0,
      );
      expect(waiting).toBe(0);
    }
  }, 240_000);
});
