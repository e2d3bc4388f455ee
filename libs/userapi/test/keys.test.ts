import { userapi } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import { deviceKeysOf } from '@seneschal/testing';

import { type Fixture, startFixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const algorithm = 'signed_curve25519';
const upload = (userId: string, ids: string[], content = 'k') =>
  fixture.call(userapi.uploadKeys, {
    userId,
    deviceId: 'D1',
    oneTimeKeys: Object.fromEntries(ids.map((id) => [`${algorithm}:${id}`, { key: content + id }])),
  });
const claim = async (userId: string): Promise<string | undefined> => {
  const claimed = await fixture.call(userapi.claimKeys, { oneTimeKeys: { [userId]: { D1: algorithm } } });
  return Object.keys(claimed.oneTimeKeys[userId]?.['D1'] ?? {})[0];
};

const changes = async (from: number): Promise<string[]> => {
  const until = await fixture.reads.position();
  return (await fixture.reads.deviceListChanges('@nobody:x.test', from, until)).changed;
};

describe('one-time keys', () => {
  it('are counted, given out in order and once each', async () => {
    const userId = await fixture.register('alice');
    await expect(upload(userId, ['B', 'A'])).resolves.toEqual({ oneTimeKeyCounts: { [algorithm]: 2 } });
    await expect(claim(userId)).resolves.toBe(`${algorithm}:B`);
    await expect(fixture.reads.keyCounts(userId, 'D1')).resolves.toEqual({
      oneTimeKeys: { [algorithm]: 1 },
      unusedFallbackKeyTypes: [],
    });
    await expect(claim(userId)).resolves.toBe(`${algorithm}:A`);
    await expect(claim(userId)).resolves.toBeUndefined();
  });

  it('are given out once each however many ask at once', async () => {
    const userId = await fixture.register('bob');
    const ids = Array.from({ length: 20 }, (_, i) => `K${i}`);
    await upload(userId, ids);
    const claimed = await Promise.all(Array.from({ length: 20 }, () => claim(userId)));
    expect(new Set(claimed).size).toBe(20);
  });

  it('stay claimed when the upload or the claim is delivered again', async () => {
    const userId = await fixture.register('carol');
    const input = { userId, deviceId: 'D1', oneTimeKeys: { [`${algorithm}:A`]: 'plain' } };
    const asked = { oneTimeKeys: { [userId]: { D1: algorithm } } };
    const first = await fixture.call(userapi.uploadKeys, input, 'upload');
    const claimed = await fixture.call(userapi.claimKeys, asked, 'claim');
    expect(claimed.oneTimeKeys[userId]?.['D1']).toEqual({ [`${algorithm}:A`]: 'plain' });
    await expect(fixture.call(userapi.uploadKeys, input, 'upload')).resolves.toEqual(first);
    await expect(fixture.call(userapi.claimKeys, asked, 'claim')).resolves.toEqual(claimed);
    await expect(claim(userId)).resolves.toBeUndefined();
  });

  it('keep their content: the same again is fine, another is not', async () => {
    const userId = await fixture.register('dave');
    await upload(userId, ['A']);
    await expect(upload(userId, ['A'])).resolves.toEqual({ oneTimeKeyCounts: { [algorithm]: 1 } });
    await expect(upload(userId, ['A', 'B'], 'other')).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
    await expect(fixture.reads.keyCounts(userId, 'D1')).resolves.toMatchObject({
      oneTimeKeys: { [algorithm]: 1 },
    });
  });

  it.each([
    ['no colon', { A: {} }, 'M_INVALID_PARAM'],
    ['a large key', { 'a:A': { key: 'x'.repeat(10_000) } }, 'M_TOO_LARGE'],
    ['no canonical JSON', { 'a:A': { key: 1.5 } }, 'M_BAD_JSON'],
    [
      'too many keys',
      Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a:${i}`, {}])),
      'M_TOO_LARGE',
    ],
  ])('are refused with %s', async (_, oneTimeKeys, errcode) => {
    const userId = await fixture.register(
      `refused${Object.keys(oneTimeKeys).length}${errcode.toLowerCase()}`,
    );
    const input = { userId, deviceId: 'D1', oneTimeKeys };
    await expect(fixture.call(userapi.uploadKeys, input)).rejects.toMatchObject({ errcode });
  });
});

describe('fallback keys', () => {
  it('are given out when there is no one-time key, again and again, and count as used', async () => {
    const userId = await fixture.register('erin');
    const fallbackKeys = { [`${algorithm}:F`]: { key: 'f', fallback: true } };
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', fallbackKeys });
    const counts = await fixture.reads.keyCounts(userId, 'D1');
    expect(counts).toEqual({ oneTimeKeys: {}, unusedFallbackKeyTypes: [algorithm] });
    await expect(claim(userId)).resolves.toBe(`${algorithm}:F`);
    await expect(claim(userId)).resolves.toBe(`${algorithm}:F`);
    await expect(fixture.reads.keyCounts(userId, 'D1')).resolves.toMatchObject({
      unusedFallbackKeyTypes: [],
    });
    const next = { [`${algorithm}:G`]: { key: 'g' } };
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', fallbackKeys: next });
    await expect(claim(userId)).resolves.toBe(`${algorithm}:G`);
  });
});

describe('device keys', () => {
  it('are told with the name of the device, to those who ask for it', async () => {
    const userId = await fixture.register('frank');
    const deviceKeys = deviceKeysOf(userId, 'D1').json;
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', deviceKeys });
    await fixture.call(userapi.setDeviceDisplayName, { userId, deviceId: 'D1', displayName: 'phone' });
    const expected = { [userId]: { D1: { ...deviceKeys, unsigned: { device_display_name: 'phone' } } } };
    await expect(fixture.reads.deviceKeys({ [userId]: [] })).resolves.toEqual(expected);
    await expect(fixture.reads.deviceKeys({ [userId]: ['D1'] })).resolves.toEqual(expected);
    await expect(fixture.reads.deviceKeys({ [userId]: ['D2'] })).resolves.toEqual({});
  });

  it('are told of when they change, and only then', async () => {
    const userId = await fixture.register('grace');
    const deviceKeys = deviceKeysOf(userId, 'D1').json;
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', deviceKeys });
    const from = await fixture.reads.position();
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', deviceKeys });
    await expect(changes(from)).resolves.toEqual([]);
    await fixture.call(userapi.uploadKeys, { userId, deviceId: 'D1', deviceKeys: { ...deviceKeys, v: 2 } });
    await expect(changes(from)).resolves.toEqual([userId]);
  });

  it.each([
    { user_id: '@other:x.test' },
    { device_id: 'D2' },
    { algorithms: undefined },
    { algorithms: [1] },
    { keys: undefined },
    { keys: { 'ed25519:D2': 'x' } },
    { keys: { 'ed25519:D1': 1 } },
    { signatures: undefined },
    { signatures: { '@heidi:x.test': 'x' } },
  ])(
    '12 (CVE-2025-61672): are refused when they are not those of the caller, or malformed: %j',
    async (wrong) => {
      const userId = '@heidi:x.test';
      const deviceKeys = { ...deviceKeysOf(userId, 'D1').json, ...wrong } as unknown as JsonObject;
      const input = { userId, deviceId: 'D1', deviceKeys };
      await expect(fixture.call(userapi.uploadKeys, input)).rejects.toMatchObject({
        errcode: 'M_INVALID_PARAM',
      });
    },
  );

  it('are refused from a device that has been logged out', async () => {
    const userId = await fixture.register('ivan');
    await fixture.call(userapi.deleteDevices, { userId });
    await expect(upload(userId, ['A'])).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
  });
});

describe('key backup versions', () => {
  it('count up, and a deleted number never comes again', async () => {
    const userId = await fixture.register('judy');
    const input = { userId, algorithm: 'a', authData: { n: 1 } };
    const { version } = await fixture.call(userapi.createKeyBackupVersion, input);
    expect(version).toBe('1');
    await fixture.call(userapi.updateKeyBackupVersion, { ...input, version, authData: { n: 2 } });
    await expect(fixture.reads.latestKeyBackup(userId)).resolves.toEqual({
      version,
      algorithm: 'a',
      authData: { n: 2 },
      count: 0,
      etag: '0',
    });
    await fixture.call(userapi.deleteKeyBackupVersion, { userId, version });
    await expect(fixture.reads.keyBackup(userId, version)).resolves.toBeUndefined();
    await expect(fixture.call(userapi.createKeyBackupVersion, input)).resolves.toEqual({ version: '2' });
  });

  it.each([
    ['another algorithm', { algorithm: 'b', version: '1' }, 'M_INVALID_PARAM'],
    ['an unknown version', { algorithm: 'a', version: 'x' }, 'M_NOT_FOUND'],
  ])('refuse %s', async (name, change, errcode) => {
    const userId = await fixture.register(`backup-${name.replaceAll(' ', '-')}`);
    await fixture.call(userapi.createKeyBackupVersion, { userId, algorithm: 'a', authData: {} });
    const input = { userId, authData: {}, ...change };
    await expect(fixture.call(userapi.updateKeyBackupVersion, input)).rejects.toMatchObject({ errcode });
  });
});
