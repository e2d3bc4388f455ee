import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import { crossSigningKey, deviceKeysOf } from '@seneschal/testing';

import { type Fixture, startFixture, tokenHash } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

/** A user with two devices, both with keys and a pusher. */
async function equipped(localpart: string): Promise<string> {
  const userId = await fixture.register(localpart);
  await fixture.login(userId, 'D2');
  for (const deviceId of ['D1', 'D2']) {
    await fixture.call(userapi.uploadKeys, {
      userId,
      deviceId,
      deviceKeys: deviceKeysOf(userId, deviceId).json,
      oneTimeKeys: { 'signed_curve25519:A': { key: 'a' } },
      fallbackKeys: { 'signed_curve25519:F': { key: 'f' } },
    });
    const pusher = { userId, deviceId, appId: 'app', pushkey: deviceId, pusher: { pushkey: deviceId } };
    await fixture.call(userapi.setPusher, { ...pusher, append: true });
    const login = { userId, deviceId, tokenHash: tokenHash(`login-${userId}-${deviceId}`) };
    await fixture.call(userapi.createLoginToken, { ...login, expiresTs: Date.now() + 60_000 });
    await fixture.call(userapi.createOpenidToken, { ...login, expiresTs: Date.now() + 60_000 });
  }
  const messages = { [userId]: { '*': {} } };
  await fixture.call(userapi.sendToDevice, { sender: userId, type: 'm.dummy', messages });
  return userId;
}

/** Rows per table that belong to a device of ours, of every table in the database that has such a column. */
async function rowsOfDevices(userId: string): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }>`SELECT table_name AS name FROM information_schema.columns
    WHERE column_name = 'device_id' AND table_name LIKE 'userapi%'
      AND table_name NOT LIKE 'userapi_remote%' ORDER BY 1`.execute(fixture.db);
  const found: [string, string[]][] = [];
  for (const { name } of tables.rows) {
    const rows = await sql<{ device_id: string }>`SELECT device_id FROM ${sql.id(name)}
      WHERE user_id = ${userId} ORDER BY 1`.execute(fixture.db);
    found.push([name, rows.rows.map((row) => row.device_id)]);
  }
  return Object.fromEntries(found);
}

describe('ending sessions', () => {
  it('P1: takes every row that belongs to a device, and tells of it', async () => {
    const userId = await equipped('alice');
    const before = Object.values(await rowsOfDevices(userId));
    expect(before).toHaveLength(9);
    expect(before.every((devices) => devices.join() === 'D1,D2')).toBe(true);
    const told = await fixture.facts(userId);
    const { devicesDeleted } = await fixture.call(userapi.setPassword, {
      userId,
      passwordHash: 'x',
      logoutDevices: true,
    });
    expect(devicesDeleted).toBe(2);
    expect(Object.values(await rowsOfDevices(userId)).flat()).toEqual([]);
    await expect(fixture.facts(userId)).resolves.toEqual([
      ...told,
      'device_list_changed',
      'device_list_changed',
    ]);
    await expect(fixture.reads.requesterByToken(tokenHash('token-alice'))).resolves.toBeUndefined();
    await expect(fixture.reads.deviceKeys({ [userId]: [] })).resolves.toEqual({});
  });

  it('P1: takes nothing without logout_devices', async () => {
    const userId = await equipped('bob');
    const before = await rowsOfDevices(userId);
    const told = await fixture.facts(userId);
    await fixture.call(userapi.setPassword, { userId, passwordHash: 'x', logoutDevices: false });
    await expect(rowsOfDevices(userId)).resolves.toEqual(before);
    await expect(fixture.facts(userId)).resolves.toEqual(told);
  });

  it('keeps the device that asks', async () => {
    const userId = await equipped('carol');
    const input = { userId, passwordHash: 'x', logoutDevices: true, keepDeviceId: 'D2' };
    await fixture.call(userapi.setPassword, input);
    const rows = await rowsOfDevices(userId);
    expect(Object.values(rows).every((devices) => devices.join() === 'D2')).toBe(true);
  });

  it('answers the same to a second delivery', async () => {
    const userId = await equipped('dave');
    const input = { userId, passwordHash: 'x', logoutDevices: true };
    const first = await fixture.call(userapi.setPassword, input, 'dave');
    await fixture.login(userId, 'D3');
    await expect(fixture.call(userapi.setPassword, input, 'dave')).resolves.toEqual(first);
    await expect(fixture.reads.devices(userId)).resolves.toHaveLength(1);
  });

  it('deletes the devices named and passes over others', async () => {
    const userId = await equipped('erin');
    const input = { userId, deviceIds: ['D2', 'D9'] };
    await expect(fixture.call(userapi.deleteDevices, input)).resolves.toEqual({ deleted: 1 });
    await expect(fixture.call(userapi.deleteDevices, input)).resolves.toEqual({ deleted: 0 });
    await expect(fixture.reads.devices(userId)).resolves.toMatchObject([{ deviceId: 'D1' }]);
  });

  it('P2: says beforehand what would go', async () => {
    const userId = await equipped('frank');
    const none = { devices: 2, pushers: 2, devicesWithKeys: 2, hasKeyBackup: false };
    await expect(fixture.reads.sessionSummary(userId)).resolves.toEqual(none);
    await fixture.call(userapi.createKeyBackupVersion, { userId, algorithm: 'a', authData: {} });
    await expect(fixture.reads.sessionSummary(userId)).resolves.toEqual({ ...none, hasKeyBackup: true });
  });

  it('knows no account, no password', async () => {
    const input = { userId: '@nobody:x.test', passwordHash: 'x', logoutDevices: true };
    await expect(fixture.call(userapi.setPassword, input)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });
});

/** Tables that name users and keep what they say of one whose account is deactivated, each with the reason. */
const outlivesTheAccount: Readonly<Record<string, string>> = {
  userapi_accounts: 'the name is never given out again',
  userapi_profiles: 'rooms show it',
  userapi_registrations: 'who came by which token',
  userapi_admin_tokens: 'worth nothing without an administrator',
};

async function tablesNaming(userId: string): Promise<string[]> {
  const columns = await sql<{ table: string }>`SELECT table_name AS table FROM information_schema.columns
    WHERE column_name = 'user_id' AND table_name LIKE 'userapi%' ORDER BY 1`.execute(fixture.db);
  const named = await Promise.all(
    columns.rows.map(async ({ table }) => {
      const rows = await sql`SELECT FROM ${sql.id(table)} WHERE user_id = ${userId}`.execute(fixture.db);
      return rows.rows.length > 0 ? [table] : [];
    }),
  );
  return named.flat().filter((table) => !(table in outlivesTheAccount));
}

/** A user with devices and with something in every table of what users store. */
async function withEverything(localpart: string): Promise<string> {
  const userId = await equipped(localpart);
  const roomId = '!r:x.test';
  await fixture.call(userapi.setAccountData, { userId, type: 'org.example', content: {} });
  const read = { type: 'm.read', threadId: null, eventId: '$e', eventPosition: 1 } as const;
  await fixture.call(userapi.setReceipts, { userId, roomId, receipts: [read] });
  const masterKey = crossSigningKey(userId, 'master');
  const keys = { masterKey: masterKey.json as unknown as JsonObject };
  await fixture.call(userapi.uploadCrossSigningKeys, { userId, ...keys, isAuthenticated: false });
  const backup = { userId, algorithm: 'a', authData: {} };
  const { version } = await fixture.call(userapi.createKeyBackupVersion, backup);
  const session = { roomId, sessionId: 's', firstMessageIndex: 0, forwardedCount: 0, isVerified: true };
  const sessions = [{ ...session, sessionData: {} }];
  await fixture.call(userapi.storeBackedUpSessions, { userId, version, sessions });
  return userId;
}

describe('deactivateAccount', () => {
  it('takes everything that the user has stored', async () => {
    const userId = await withEverything('stored');
    expect((await tablesNaming(userId)).length).toBeGreaterThanOrEqual(11);
    await fixture.call(userapi.deactivateAccount, { userId });
    expect(await tablesNaming(userId)).toEqual([]);
  });

  it('E7: ends everything in one step and tells of it once', async () => {
    const userId = await equipped('grace');
    const told = await fixture.facts(userId);
    await fixture.call(userapi.deactivateAccount, { userId });
    await fixture.call(userapi.deactivateAccount, { userId });
    expect(Object.values(await rowsOfDevices(userId)).flat()).toEqual([]);
    await expect(fixture.facts(userId)).resolves.toEqual([
      ...told,
      'account_deactivated',
      'device_list_changed',
      'device_list_changed',
    ]);
    await expect(fixture.reads.verifyPassword(userId, 'password')).resolves.toBeUndefined();
    await expect(fixture.login(userId, 'D4')).rejects.toMatchObject({ errcode: 'M_USER_DEACTIVATED' });
  });

  it('E7: a token that survived by accident is refused', async () => {
    await fixture.register('heidi');
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE localpart = 'heidi'`.execute(
      fixture.db,
    );
    await expect(fixture.reads.requesterByToken(tokenHash('token-heidi'))).resolves.toBeUndefined();
  });

  it('E7: no login slips through while it runs', async () => {
    const userId = await fixture.register('ivan');
    await Promise.allSettled([
      ...Array.from({ length: 8 }, (_, i) => fixture.login(userId, `L${i}`)),
      fixture.call(userapi.deactivateAccount, { userId }),
      ...Array.from({ length: 8 }, (_, i) => fixture.login(userId, `M${i}`)),
    ]);
    await expect(fixture.reads.devices(userId)).resolves.toEqual([]);
  });
});

describe('connections', () => {
  const seen = (userId: string, i: number) => ({
    userId,
    deviceId: 'D1',
    ip: `192.0.2.${i}`,
    userAgent: 'test',
    lastSeen: 2_000_000_000_000 + i,
  });

  it('keeps the newest of a device, newest first', async () => {
    const userId = await fixture.register('judy');
    const connections = Array.from({ length: 30 }, (_, i) => seen(userId, i));
    await fixture.call(userapi.recordConnections, {
      connections: [...connections, seen('@nobody:x.test', 1)],
    });
    const sessions = await fixture.reads.sessions(userId);
    const ips = sessions?.[0]?.connections.map((one) => one.ip);
    expect(ips).toEqual(Array.from({ length: 20 }, (_, i) => `192.0.2.${29 - i}`));
    await expect(fixture.reads.devices(userId)).resolves.toMatchObject([{ lastSeenIp: '192.0.2.29' }]);
  });

  it('lets the later sighting win, in whatever order they come', async () => {
    const userId = await fixture.register('kim');
    const late = { ...seen(userId, 1), lastSeen: 2_000_000_000_009 };
    await fixture.call(userapi.recordConnections, { connections: [late, seen(userId, 1)] });
    await fixture.call(userapi.recordConnections, { connections: [seen(userId, 1)] });
    const sessions = await fixture.reads.sessions(userId);
    expect(sessions?.[0]?.connections[0]).toMatchObject({ ip: '192.0.2.1', lastSeen: 2_000_000_000_009 });
  });

  it('M2: knows no sessions of an unknown user, and none of one who is logged out', async () => {
    await expect(fixture.reads.sessions('@nobody:x.test')).resolves.toBeUndefined();
    const userId = await fixture.register('lena');
    await fixture.call(userapi.deleteDevices, { userId });
    await expect(fixture.reads.sessions(userId)).resolves.toEqual([]);
  });
});
