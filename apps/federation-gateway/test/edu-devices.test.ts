import {
  allDelivered,
  crossSigningKey,
  deviceKeysOf,
  startFederatedWorld,
  TestClient,
  type World,
} from '@seneschal/testing';
import { sql } from 'kysely';

import { joinVia } from './sharing.ts';

let here: World, there: World;
let admin: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([startFederatedWorld(), startFederatedWorld()]);
  [admin, bob] = await Promise.all([here.register('admin', { admin: true }), there.register('bob')]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

/** A user here with a device that has keys, in a room with Bob, who has asked for the keys. */
async function meet(localpart: string): Promise<TestClient> {
  const user = await here.register(localpart, { deviceId: 'A', password: 'a password' });
  await uploadKeys(user, 'A');
  const roomId = await user.createRoom({ preset: 'public_chat' });
  await joinVia(bob, roomId, here);
  expect(Object.keys(await devicesOf(user))).toEqual(['A']);
  return user;
}

async function uploadKeys(user: TestClient, deviceId: string): Promise<void> {
  await user.call('POST', '/keys/upload', { device_keys: deviceKeysOf(user.userId, deviceId).json });
}

async function keysOf(user: TestClient): Promise<Record<string, Record<string, Record<string, unknown>>>> {
  return (await bob.call('POST', '/keys/query', { device_keys: { [user.userId]: [] } })) as never;
}

/** The devices of a user as Bob sees them. */
async function devicesOf(user: TestClient): Promise<Record<string, { unsigned?: object }>> {
  return ((await keysOf(user))['device_keys']?.[user.userId] ?? {}) as never;
}

/** When the list was last fetched, and whether it is out of date. */
async function held(user: TestClient): Promise<{ fetched: number; isStale: boolean } | undefined> {
  const found = await sql<{ fetched: number; isStale: boolean }>`
    SELECT fetched_ts AS fetched, is_stale AS "isStale" FROM userapi_remote_device_lists
    WHERE user_id = ${user.userId}`.execute(there.sql);
  return found.rows[0];
}

describe('changes of devices', () => {
  it('are taken over by servers that share a room, without fetching the list again', async () => {
    const alice = await meet('alice');
    const before = await held(alice);
    await alice.call('PUT', '/devices/A', { display_name: 'phone' });
    const second = await login('alice', 'B');
    await uploadKeys(second, 'B');
    await allDelivered(here, there);
    expect(await held(alice)).toEqual({ ...before, isStale: false });
    const devices = await devicesOf(alice);
    expect(Object.keys(devices).sort()).toEqual(['A', 'B']);
    expect(devices['A']?.unsigned).toEqual({ device_display_name: 'phone' });
    await second.call('POST', '/logout', {});
    await allDelivered(here, there);
    expect(Object.keys(await devicesOf(alice))).toEqual(['A']);
    expect(await held(alice)).toEqual({ ...before, isStale: false });
  });

  it('P1: of a password reset that ends all sessions are seen by the other server', async () => {
    const carol = await meet('carol');
    const reset = `/_dendrite/admin/resetPassword/${encodeURIComponent(carol.userId)}`;
    const body = { password: 'another password', logout_devices: true };
    expect((await admin.request('POST', reset, { body })).status).toBe(200);
    await allDelivered(here, there);
    expect(await devicesOf(carol)).toEqual({});
    expect(await held(carol)).toMatchObject({ isStale: false });
  });

  it('that were missed have the list fetched again', async () => {
    const dave = await meet('dave');
    // As if an update had been lost on the way.
    await sql`UPDATE userapi_remote_device_lists SET stream_id = 1 WHERE user_id = ${dave.userId}`.execute(
      there.sql,
    );
    await dave.call('PUT', '/devices/A', { display_name: 'tablet' });
    await allDelivered(here, there);
    expect((await devicesOf(dave))['A']?.unsigned).toEqual({ device_display_name: 'tablet' });
    expect(await held(dave)).toMatchObject({ isStale: false });
  });

  it('made while a server was away reach it by fetching the list, if there were many', async () => {
    const erin = await meet('erin');
    await sql`UPDATE federation_destinations SET failures = 1, next_try_ts = 9000000000000
      WHERE server_name = ${there.serverName}`.execute(here.sql);
    for (let n = 1; n <= 25; n += 1) await erin.call('PUT', '/devices/A', { display_name: `name ${n}` });
    await here.settled();
    const waiting = await sql`SELECT FROM federation_edu_queue`.execute(here.sql);
    expect(waiting.rows.length).toBeLessThanOrEqual(20);
    await sql`UPDATE federation_destinations SET failures = 0, next_try_ts = 0
      WHERE server_name = ${there.serverName}`.execute(here.sql);
    await allDelivered(here, there);
    expect((await devicesOf(erin))['A']?.unsigned).toEqual({ device_display_name: 'name 25' });
  });

  it('to cross-signing keys, and what they sign, are seen', async () => {
    const frank = await meet('frank');
    const { userId } = frank;
    const master = crossSigningKey(userId, 'master');
    const selfSigning = crossSigningKey(userId, 'self_signing', master);
    await frank.call('POST', '/keys/device_signing/upload', {
      master_key: master.json,
      self_signing_key: selfSigning.json,
    });
    await allDelivered(here, there);
    expect(await keysOf(frank)).toMatchObject({
      master_keys: { [userId]: master.json },
      self_signing_keys: { [userId]: selfSigning.json },
    });
  });

  it('tell nothing to servers that share no room', async () => {
    const grace = await here.register('grace', { deviceId: 'G' });
    await uploadKeys(grace, 'G');
    await allDelivered(here, there);
    expect(await held(grace)).toBeUndefined();
  });
});

async function login(user: string, deviceId: string): Promise<TestClient> {
  const body = {
    type: 'm.login.password',
    ...{ identifier: { type: 'm.id.user', user }, password: 'a password', device_id: deviceId },
  };
  const answer = await here.request('POST', '/_matrix/client/v3/login', { body });
  expect(answer.status).toBe(200);
  const { user_id: userId, access_token: token } = answer.body as Record<string, string>;
  return new TestClient(here.url, { userId: userId!, deviceId, token: token! });
}
