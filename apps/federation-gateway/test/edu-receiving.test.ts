import type { JsonObject } from '@seneschal/matrix';
import { startPeer } from '@seneschal/testing';
import { sql } from 'kysely';

import { ask, deliver, type PduResults } from './asking.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { deviceOf, devicesPath, joinAs, leaveAs, type Member } from './peer-users.ts';
import { setState } from './sharing.ts';

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));
beforeAll(() => peer.answer('/_matrix/federation/v1/send/', () => ({ body: { pdus: {} } })));

let users = 0;

/** A user of the peer in an encrypted room with Alice, who has asked for the user's devices: PHONE, at stream ID 5. */
async function meet(): Promise<Member> {
  users += 1;
  const userId = `@user${users}:${peer.serverName}`;
  const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
  await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
  const member = await joinAs(peer, world, userId, roomId);
  answer(userId, [deviceOf(userId, 'PHONE')]);
  expect(await devicesOf(userId)).toEqual(['PHONE']);
  return member;
}

function answer(userId: string, devices: JsonObject[], streamId = 5): void {
  peer.answer(devicesPath(userId), () => ({ body: { user_id: userId, stream_id: streamId, devices } }));
}

async function devicesOf(userId: string): Promise<string[]> {
  const found = await alice.call('POST', '/keys/query', { device_keys: { [userId]: [] } });
  return Object.keys((found['device_keys'] as Record<string, object>)[userId] ?? {}).sort();
}

const fetches = (userId: string): number =>
  peer.requests.filter(({ uri }) => uri === devicesPath(userId)).length;

async function isHeld(userId: string): Promise<boolean> {
  const found = await sql`SELECT FROM userapi_remote_device_lists WHERE user_id = ${userId}`.execute(
    world.sql,
  );
  return found.rows.length > 0;
}

function update(
  userId: string,
  deviceId: string,
  streamId: number,
  prevIds: number[],
  more: object = {},
): object {
  const content = { user_id: userId, ...deviceOf(userId, deviceId), stream_id: streamId, prev_id: prevIds };
  return { edu_type: 'm.device_list_update', content: { ...content, ...more } };
}

const edus = (...given: object[]): Promise<PduResults> => deliver(peer, world, { edus: given });

async function changed(since: string): Promise<string[]> {
  const answer = await alice.call('GET', `/sync?since=${since}`);
  return (answer['device_lists'] as { changed?: string[] } | undefined)?.changed ?? [];
}

describe('changes of devices that a server tells of', () => {
  it('are taken over where nothing was missed, and clients are told', async () => {
    const { userId } = await meet();
    const since = (await alice.call('GET', '/sync'))['next_batch'] as string;
    await edus(
      update(userId, 'LAPTOP', 6, [5]),
      update(userId, 'PHONE', 7, [6], { deleted: true, keys: {} }),
    );
    await world.settled();
    expect(await changed(since)).toEqual([userId]);
    expect(await devicesOf(userId)).toEqual(['LAPTOP']);
    expect(fetches(userId)).toBe(1);
  });

  it('change nothing when they come again', async () => {
    const { userId } = await meet();
    await edus(update(userId, 'LAPTOP', 6, [5]));
    await world.settled();
    const since = (await alice.call('GET', '/sync'))['next_batch'] as string;
    await edus(update(userId, 'LAPTOP', 6, [5]));
    await world.settled();
    expect(await changed(since)).toEqual([]);
    expect(fetches(userId)).toBe(1);
  });

  it.each([
    ['another one was missed', [7]],
    ['nothing says what came before', []],
  ])('have the list fetched where %s', async (_, prevIds) => {
    const { userId } = await meet();
    answer(userId, [deviceOf(userId, 'FETCHED')], 9);
    await edus(update(userId, 'LAPTOP', 9, prevIds));
    expect(await devicesOf(userId)).toEqual(['FETCHED']);
    answer(userId, [deviceOf(userId, 'FETCHED'), deviceOf(userId, 'TABLET')], 10);
    await edus(update(userId, 'TABLET', 10, [9]));
    expect(await devicesOf(userId)).toEqual(['FETCHED', 'TABLET']);
  });

  it('R3: of 20 users at once have all lists fetched, without anybody asking', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
    const members = Array.from({ length: 20 }, (_, n) => `@crowd${n}:${peer.serverName}`);
    for (const userId of members) await joinAs(peer, world, userId, roomId);
    const fetched = new Set<string>();
    const all = new Promise<void>((resolve) => {
      for (const userId of members) {
        peer.answer(devicesPath(userId), () => {
          fetched.add(userId);
          if (fetched.size === members.length) resolve();
          return { body: { user_id: userId, stream_id: 1, devices: [] } };
        });
      }
    });
    await edus(...members.map((userId) => update(userId, 'X', 1, [])));
    await all;
    expect(fetched.size).toBe(20);
  });

  it('R3: are fetched while another server does not answer', async () => {
    const dead = await startPeer();
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
    const asked = deferred();
    const hanging = Array.from({ length: 3 }, (_, n) => `@hanging${n}:${dead.serverName}`);
    for (const userId of hanging) {
      await joinAs(dead, world, userId, roomId);
      dead.answer(devicesPath(userId), () => {
        asked.resolve();
        return { body: undefined };
      });
    }
    await deliver(dead, world, { edus: hanging.map((userId) => update(userId, 'X', 1, [])) });
    await asked.promise;
    const userId = `@alive:${peer.serverName}`;
    await joinAs(peer, world, userId, roomId);
    const fetched = deferred();
    peer.answer(devicesPath(userId), () => {
      fetched.resolve();
      return { body: { user_id: userId, stream_id: 1, devices: [] } };
    });
    await edus(update(userId, 'X', 1, []));
    await fetched.promise;
    expect(dead.requests.filter(({ uri }) => uri.includes('/user/devices/'))).toHaveLength(1);
    await dead.stop();
  });

  it("CVE-2023-43796: are not told to other servers, which ask the user's own", async () => {
    const { userId } = await meet();
    const other = await startPeer();
    const content = { device_keys: { [userId]: [] } };
    const query = { method: 'POST', uri: '/_matrix/federation/v1/user/keys/query', content } as const;
    const answers = [await ask(other, world, { uri: devicesPath(userId) }), await ask(other, world, query)];
    expect(answers.map(({ status }) => status)).toEqual([404, 400]);
    for (const { text } of answers) expect(text).not.toContain('PHONE');
    await other.stop();
  });

  it('have the list fetched for cross-signing keys', async () => {
    const { userId } = await meet();
    answer(userId, [deviceOf(userId, 'FETCHED')], 6);
    await edus({ edu_type: 'm.signing_key_update', content: { user_id: userId, master_key: {} } });
    expect(await devicesOf(userId)).toEqual(['FETCHED']);
  });

  it('CVE-2025-61672: are refused with keys that the device did not sign, and harm no other', async () => {
    const { userId } = await meet();
    const stolen = deviceOf('@eve:two.example', 'STOLEN')['keys'];
    const noKeys = [{ keys: { user_id: userId } }, { keys: 'x' }, { keys: stolen }];
    const poisoned = noKeys.map((keys) => update(userId, 'STOLEN', 6, [5], keys));
    await edus(...poisoned, update(userId, 'LAPTOP', 6, [5]));
    expect(await devicesOf(userId)).toEqual(['LAPTOP', 'PHONE']);
    expect(fetches(userId)).toBe(1);
  });

  it('are not believed of users of other servers, or kept of those that nobody here knows', async () => {
    const stranger = `@stranger:${peer.serverName}`;
    await edus(
      update('@bob:elsewhere.example', 'X', 1, []),
      update(alice.userId, 'X', 1, []),
      update(stranger, 'X', 1, []),
    );
    await world.settled();
    const held = await Promise.all([stranger, alice.userId, '@bob:elsewhere.example'].map(isHeld));
    expect(held).toEqual([false, false, false]);
  });

  it('are of no use after the last shared room: the list is forgotten, and fetched when they meet again', async () => {
    const member = await meet();
    const { userId, roomId } = member;
    await leaveAs(peer, world, member);
    await world.settled();
    expect(await isHeld(userId)).toBe(false);
    await joinAs(peer, world, userId, roomId);
    answer(userId, [deviceOf(userId, 'NEW')], 8);
    expect(await devicesOf(userId)).toEqual(['NEW']);
    await alice.leave(roomId);
    await world.settled();
    expect(await isHeld(userId)).toBe(false);
  });
});

describe('a transaction of a hostile server', () => {
  it('CVE-2025-30355: has its good EDUs taken, whatever else is in it', async () => {
    const { userId } = await meet();
    const types = [
      'm.device_list_update',
      'm.signing_key_update',
      'm.direct_to_device',
      'm.receipt',
      'm.typing',
    ];
    const contents = [
      null,
      [],
      'x',
      {},
      { user_id: 7 },
      { user_id: alice.userId, device_id: 'D'.repeat(300) },
      deep(),
    ];
    const bad = types.flatMap((edu_type) => contents.map((content) => ({ edu_type, content })));
    await edus({}, { edu_type: 1, content: {} }, { edu_type: 'toString', content: {} }, ...bad, {
      ...{ edu_type: 'm.presence', content: { push: [{ user_id: userId, presence: 'online' }] } },
    });
    await edus(...bad, update(userId, 'LAPTOP', 6, [5]));
    expect(await devicesOf(userId)).toEqual(['LAPTOP', 'PHONE']);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function deep(): object {
  return JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`) as object;
}
