import { federation, userapi } from '@seneschal/contracts';
import {
  type Peer,
  peerSettings,
  startPeer,
  startWorld,
  type TestClient,
  type World,
} from '@seneschal/testing';
import { sql } from 'kysely';

import { parseXMatrix, verifyRequest } from '../src/transport/x-matrix.ts';
import { answerDevices, deviceOf, devicesPath } from './fixtures.ts';

let world: World, peer: Peer, alice: TestClient;
beforeAll(async () => {
  [world, peer] = await Promise.all([startWorld({ settings: peerSettings }), startPeer()]);
  alice = await world.register('alice');
});
afterAll(() => Promise.all([world.stop(), peer.stop()]));

const refresh = (userId: string) => world.homeserver.platform.bus.call(federation.refreshDevices, { userId });
const bob = (): string => `@bob${crypto.randomUUID()}:${peer.serverName}`;
const query = (userId: string): Promise<Record<string, unknown>> =>
  alice.call('POST', '/keys/query', { device_keys: { [userId]: [] } });

/** The stale flag and the error that are held of a user. */
async function held(userId: string): Promise<{ is_stale: boolean; error: string | null } | undefined> {
  const found = await sql<{ is_stale: boolean; error: string | null }>`
    SELECT is_stale, error FROM userapi_remote_device_lists WHERE user_id = ${userId}`.execute(world.sql);
  return found.rows[0];
}

async function facts(userId: string): Promise<number> {
  const found = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM userapi_output WHERE fact->>'userId' = ${userId}`.execute(world.sql);
  return found.rows[0]?.count ?? 0;
}

describe('refreshing the devices of a remote user', () => {
  it('R1: fetches a user of whom nothing is held, by a signed request', async () => {
    const userId = bob();
    answerDevices(peer, userId, [deviceOf(userId, 'PHONE')]);
    expect(await refresh(userId)).toMatchObject({ before: 0, after: 1, added: ['PHONE'], refused: [] });
    const asked = peer.requests.find(({ uri }) => uri === devicesPath(userId))!;
    const claim = parseXMatrix(asked.authorization)!;
    const { signer } = await keyOfWorld();
    const { uri, method } = asked;
    const signed = { method, uri, origin: world.serverName, destination: peer.serverName };
    expect(claim).toMatchObject({ origin: world.serverName, destination: peer.serverName });
    expect(verifyRequest(signed, claim.signature, signer)).toBe(true);
  });

  it('replaces what is held, and says what changed', async () => {
    const userId = bob();
    answerDevices(peer, userId, [deviceOf(userId, 'OLD'), deviceOf(userId, 'KEPT')]);
    await refresh(userId);
    answerDevices(peer, userId, [deviceOf(userId, 'KEPT'), deviceOf(userId, 'NEW')]);
    expect(await refresh(userId)).toEqual({
      before: 2,
      after: 2,
      added: ['NEW'],
      removed: ['OLD'],
      keysChanged: ['KEPT'],
      crossSigningChanged: false,
      refused: [],
    });
    const keys = (await query(userId))['device_keys'] as Record<string, Record<string, unknown>>;
    expect(Object.keys(keys[userId]!).sort()).toEqual(['KEPT', 'NEW']);
  });

  it('tells of a change once, and of none not at all', async () => {
    const userId = bob();
    answerDevices(peer, userId, [deviceOf(userId, 'PHONE')]);
    await refresh(userId);
    await refresh(userId);
    expect(await facts(userId)).toBe(1);
  });

  it('refuses poisoned keys, and takes the rest', async () => {
    const userId = bob();
    const stolen = { ...deviceOf('@eve:two.example', 'STOLEN') };
    answerDevices(peer, userId, [stolen, deviceOf(userId, 'PHONE')]);
    expect(await refresh(userId)).toMatchObject({ after: 1, refused: [{ item: 'STOLEN' }] });
  });

  it.each([
    ['an error', { status: 403, body: { errcode: 'M_FORBIDDEN' } }, /403 M_FORBIDDEN/],
    ['no JSON', { body: '<html>' }, /did not answer with a device list/],
    ['JSON of great depth', { body: '['.repeat(100_000) }, /did not answer with a device list/],
    ['the list of another user', { body: { user_id: '@eve:x', stream_id: 1, devices: [] } }, /another user/],
    ['too much', { body: `{"a":"${'x'.repeat(9_000_000)}"}` }, /larger than/],
  ])(
    'answers 502 with the reason for %s, keeps what is held and marks it stale',
    async (_, answer, reason) => {
      const userId = bob();
      answerDevices(peer, userId, [deviceOf(userId, 'PHONE')]);
      await refresh(userId);
      peer.answer(devicesPath(userId), () => answer);
      await expect(refresh(userId)).rejects.toMatchObject({ status: 502, errcode: 'M_UNKNOWN' });
      expect(await held(userId)).toEqual({ is_stale: true, error: expect.stringMatching(reason) as string });
      const keys = (await query(userId))['device_keys'] as Record<string, Record<string, unknown>>;
      expect(Object.keys(keys[userId]!)).toEqual(['PHONE']);
    },
  );

  it('names a server that cannot be reached, and remembers a user of whom nothing was held', async () => {
    const userId = '@bob:127.0.0.1:1';
    await expect(refresh(userId)).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/);
    expect(await held(userId)).toMatchObject({ is_stale: true });
    const failures = (await query(userId))['failures'];
    expect(failures).toMatchObject({ '127.0.0.1:1': { status: 503 } });
  });

  it.each(['@bob:10.1.2.3', '@bob:[::1]:8448', '@bob:[::ffff:10.0.0.1]:1'])(
    'asks nobody at the private address of %s',
    async (userId) => {
      await expect(refresh(userId)).rejects.toThrow(/private network/);
    },
  );

  it('M_INVALID_PARAM: refuses users of this server', async () => {
    await expect(refresh(alice.userId)).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
    expect(await held(alice.userId)).toBeUndefined();
  });
});

describe('stale device lists', () => {
  it('R3: are due one of each server at a time, and later after each failure', async () => {
    const { bus } = world.homeserver.platform;
    const users = Array.from({ length: 50 }, (_, index) => `@stale${index}:dead.example`);
    await Promise.all(
      [...users, '@one:other.example'].map((userId) =>
        bus.call(userapi.markRemoteDevicesStale, { userId, reason: 'test' }),
      ),
    );
    await sql`UPDATE userapi_remote_device_lists SET retry_ts = 1
      WHERE server_name IN ('dead.example', 'other.example')`.execute(world.sql);
    const { userIds } = await bus.call(userapi.claimDueDeviceLists, { limit: 16 });
    expect(userIds.map((userId) => userId.split(':')[1]).sort()).toEqual(['dead.example', 'other.example']);
    const { userIds: next } = await bus.call(userapi.claimDueDeviceLists, { limit: 16 });
    expect(next).toHaveLength(1);
    const [first, second] = [
      await bus.call(userapi.markRemoteDevicesStale, { userId: users[0]!, reason: 'again' }),
      await bus.call(userapi.markRemoteDevicesStale, { userId: users[0]!, reason: 'again' }),
    ];
    expect(second.retryTs - Date.now()).toBeGreaterThan(1.5 * (first.retryTs - Date.now()));
  });
});

async function keyOfWorld(): Promise<{ signer: string }> {
  const { body } = await world.request('GET', '/_matrix/key/v2/server');
  const [key] = Object.values(body['verify_keys'] as Record<string, { key: string }>);
  return { signer: key!.key };
}
