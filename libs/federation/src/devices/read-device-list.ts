import {
  canonicalJson,
  crossSigningKeyOf,
  type CrossSigningUsage,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  own,
  ownString,
  verifyJson,
} from '@seneschal/matrix';

import { isStorable, text } from '../edus/shapes.ts';

export interface RemoteDevice {
  deviceId: string;
  /** Identity keys, signed by the device itself; null where the device has none. */
  keys: JsonObject | null;
  displayName: string | null;
}

export interface DeviceList {
  streamId: number;
  devices: RemoteDevice[];
  masterKey: JsonObject | null;
  selfSigningKey: JsonObject | null;
  /** What was left out, and why. */
  refused: { item: string; reason: string }[];
}

const maximumDevices = 2000;
const maximumKeyBytes = 65_536;
const maximumNameLength = 200;

/**
 * Reads another server's answer to `GET /_matrix/federation/v1/user/devices/{userId}` (server-server API,
 * "Device Management"). Keys that are of another user or device, that the device did not sign or that are too
 * large are refused one by one: what is stored is handed on to clients, and to other servers. Throws an Error
 * that says why when the answer as a whole is not of that user.
 */
export function readDeviceList(answer: unknown, userId: string): DeviceList {
  const devices = own(answer, 'devices');
  const streamId = own(answer, 'stream_id');
  if (ownString(answer, 'user_id') !== userId) throw new Error('The answer is of another user.');
  if (!Array.isArray(devices)) throw new Error('The answer has no list of devices.');
  if (devices.length > maximumDevices) throw new Error(`The answer has more than ${maximumDevices} devices.`);
  const list: DeviceList = {
    streamId: Number.isSafeInteger(streamId) ? Number(streamId) : 0,
    devices: [],
    masterKey: null,
    selfSigningKey: null,
    refused: [],
  };
  for (const device of devices) addDevice(list, device, userId);
  addCrossSigningKeys(list, answer, userId);
  return list;
}

function addDevice(list: DeviceList, given: JsonValue, userId: string): void {
  const device = readDevice(given, userId);
  const deviceId = ownString(given, 'device_id') ?? '';
  const isTwice = list.devices.some((other) => other.deviceId === deviceId);
  const reason = isTwice ? 'is listed twice' : device;
  if (typeof reason === 'string') list.refused.push({ item: deviceId.slice(0, 255), reason });
  else list.devices.push(reason);
}

/** One device of a user as its server tells of it, or what is wrong with it. */
export function readDevice(device: unknown, userId: string): RemoteDevice | string {
  const deviceId = ownString(device, 'device_id') ?? '';
  const keys = own(device, 'keys');
  const name =
    ownString(device, 'device_display_name') ?? ownString(own(keys, 'unsigned'), 'device_display_name');
  return (
    problemOf(deviceId, keys, userId) ?? {
      deviceId,
      keys: isJsonObject(keys) ? withoutUnsigned(keys) : null,
      displayName: name !== undefined && isStorable(name) ? name.slice(0, maximumNameLength) : null,
    }
  );
}

function problemOf(deviceId: string, keys: JsonValue | undefined, userId: string): string | undefined {
  if (!text.safeParse(deviceId).success) return 'has no proper device ID';
  if (keys === undefined || keys === null) return undefined;
  if (ownString(keys, 'user_id') !== userId || ownString(keys, 'device_id') !== deviceId) {
    return 'has the keys of another user or device';
  }
  const keyId = `ed25519:${deviceId}`;
  const publicKey = ownString(own(keys, 'keys'), keyId) ?? '';
  if (!isBounded(keys)) return 'has keys that are too large or no canonical JSON';
  return verifyJson(keys, userId, keyId, publicKey) ? undefined : 'has keys that it did not sign';
}

function addCrossSigningKeys(list: DeviceList, answer: unknown, userId: string): void {
  const master = own(answer, 'master_key');
  const masterKey = keyOfUsage(master, userId, 'master');
  if (masterKey !== undefined && isJsonObject(master)) list.masterKey = withoutUnsigned(master);
  else if (isJsonObject(master))
    list.refused.push({ item: 'master_key', reason: 'is not a master key of the user' });
  const selfSigning = own(answer, 'self_signing_key');
  if (!isJsonObject(selfSigning)) return;
  const isSigned =
    masterKey !== undefined &&
    keyOfUsage(selfSigning, userId, 'self_signing') !== undefined &&
    verifyJson(selfSigning, userId, `ed25519:${masterKey}`, masterKey);
  if (isSigned) list.selfSigningKey = withoutUnsigned(selfSigning);
  else list.refused.push({ item: 'self_signing_key', reason: 'is not signed by the master key' });
}

function keyOfUsage(
  key: JsonValue | undefined,
  userId: string,
  usage: CrossSigningUsage,
): string | undefined {
  const publicKey = crossSigningKeyOf(key, userId, usage);
  return publicKey !== undefined && isBounded(key) ? publicKey : undefined;
}

function isBounded(value: unknown): boolean {
  try {
    return Buffer.byteLength(canonicalJson(value)) <= maximumKeyBytes;
  } catch {
    return false;
  }
}

function withoutUnsigned({ unsigned: _, ...rest }: JsonObject): JsonObject {
  return rest;
}
