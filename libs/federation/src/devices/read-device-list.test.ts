import { generateSigningKey, type JsonObject, signJson, type SigningKey } from '@seneschal/matrix';

import { readDeviceList } from './read-device-list.ts';

const userId = '@bob:two.example';

/** Keys of a device, signed as clients do: by the key that is in them. */
function deviceKeys(deviceId: string, change: JsonObject = {}): JsonObject {
  const key: SigningKey = { ...generateSigningKey(), keyId: `ed25519:${deviceId}` };
  const keys = { [key.keyId]: key.publicKey, [`curve25519:${deviceId}`]: 'curve' };
  return {
    ...signJson({ user_id: userId, device_id: deviceId, algorithms: [], keys }, userId, key),
    ...change,
  };
}

function device(deviceId: string, change: JsonObject = {}): JsonObject {
  return { device_id: deviceId, keys: deviceKeys(deviceId, change), device_display_name: 'phone' };
}

function answer(devices: unknown[], change: JsonObject = {}): unknown {
  return { user_id: userId, stream_id: 7, devices, ...change };
}

function crossSigningKey(usage: string, key: SigningKey): JsonObject {
  return { user_id: userId, usage: [usage], keys: { [`ed25519:${key.publicKey}`]: key.publicKey } };
}

describe('reading the device list of another server', () => {
  it('takes devices with their keys and names, and devices without keys', () => {
    const list = readDeviceList(answer([device('A'), { device_id: 'B' }]), userId);
    expect(list.refused).toEqual([]);
    expect(list.streamId).toBe(7);
    expect(list.devices.map(({ deviceId, displayName }) => [deviceId, displayName])).toEqual([
      ['A', 'phone'],
      ['B', null],
    ]);
    expect(list.devices[1]?.keys).toBeNull();
  });

  it('passes over a name that cannot be stored', () => {
    const list = readDeviceList(answer([{ ...device('A'), device_display_name: 'nul\0' }]), userId);
    expect(list.devices.map(({ deviceId, displayName }) => [deviceId, displayName])).toEqual([['A', null]]);
  });

  it.each([
    ['the keys of another user', { user_id: '@eve:two.example' }],
    ['the keys of another device', { device_id: 'X' }],
    ['something that the device did not sign', { algorithms: ['m.evil'] }],
    ['a number that is no JSON between servers', { algorithms: [1.5] }],
    ['no signature', { signatures: {} }],
    ['keys that are none', { keys: [] as never }],
    ['too much', { algorithms: ['x'.repeat(70_000)] }],
  ])('refuses %s, and takes the others', (_, change) => {
    const list = readDeviceList(answer([device('A', change), device('B')]), userId);
    expect(list.devices.map(({ deviceId }) => deviceId)).toEqual(['B']);
    expect(list.refused).toEqual([{ item: 'A', reason: expect.any(String) as string }]);
  });

  it.each([
    [[{ device_id: '' }]],
    [[{}]],
    [[7]],
    [[null]],
    [[{ device_id: 'x'.repeat(256) }]],
    [[{ device_id: 'nul\0' }]],
  ])('refuses what is no device: %j', (devices) => {
    const list = readDeviceList(answer(devices), userId);
    expect(list.devices).toEqual([]);
    expect(list.refused).toHaveLength(1);
  });

  it('refuses a device that is listed twice', () => {
    const list = readDeviceList(answer([device('A'), device('A')]), userId);
    expect([list.devices.length, list.refused.length]).toEqual([1, 1]);
  });

  it.each([
    [{ user_id: '@eve:two.example' }],
    [{ devices: {} }],
    [{ devices: Array(2001).fill({}) as never }],
  ])('refuses an answer that is not what was asked for', (change) => {
    expect(() => readDeviceList(answer([], change as JsonObject), userId)).toThrow(/The answer/);
  });

  it('takes cross-signing keys that hang together, and refuses others', () => {
    const [master, other] = [generateSigningKey(), generateSigningKey()];
    const masterKey = crossSigningKey('master', master);
    const sign = (by: SigningKey): JsonObject =>
      signJson(crossSigningKey('self_signing', other), userId, { ...by, keyId: `ed25519:${by.publicKey}` });
    const good = readDeviceList(
      answer([], { master_key: masterKey, self_signing_key: sign(master) }),
      userId,
    );
    expect([good.masterKey, good.selfSigningKey !== null, good.refused]).toEqual([masterKey, true, []]);
    const bad = readDeviceList(answer([], { master_key: masterKey, self_signing_key: sign(other) }), userId);
    expect([bad.selfSigningKey, bad.refused.map(({ item }) => item)]).toEqual([null, ['self_signing_key']]);
    const wrong = crossSigningKey('user_signing', master);
    expect(readDeviceList(answer([], { master_key: wrong }), userId).masterKey).toBeNull();
  });
});
