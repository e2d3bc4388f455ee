import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import {
  canonicalJson,
  deviceKeysProblem,
  invalidParam,
  type JsonObject,
  tooLarge,
  unknownToken,
} from '@seneschal/matrix';

import { holdDevice } from '../storage/devices.ts';
import {
  countOneTimeKeys,
  insertOneTimeKeys,
  type StoredKey,
  upsertDeviceKeys,
  upsertFallbackKeys,
} from '../storage/keys.ts';
import { appendFacts, deviceFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.uploadKeys.input>;
type Output = z.infer<typeof userapi.uploadKeys.output>;

export interface UploadKeysDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Bounds of ours: clients hold some 50 to 100 one-time keys, and a key is a few hundred bytes. */
const maximumKeysOfDevice = 1000;
const maximumKeyBytes = 8192;
const maximumDeviceKeysBytes = 65_536;
const keyIdPattern = /^([\w.-]{1,64}):([^\0:]{1,255})$/;

/**
 * Stores keys of a device (client-server API, `POST /keys/upload`). M_INVALID_PARAM for the keys of another
 * device and for a one-time key ID that is there with another content; M_TOO_LARGE beyond the bounds.
 */
export async function uploadKeys(
  deps: UploadKeysDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const keys = checked(input);
  const { output, position } = await transact(deps.db, async (trx) => {
    if (!(await holdDevice(trx, input.userId, input.deviceId))) {
      throw unknownToken('The device has been logged out.');
    }
    const isChanged = await store(trx, input, keys);
    const output = { oneTimeKeyCounts: await countOneTimeKeys(trx, input) };
    checkTotal(output.oneTimeKeyCounts);
    // A second delivery must not bring back a key that has been given out since.
    await context.remember(trx, output);
    const facts = deviceFacts(input.userId, [input.deviceId]);
    return { output, position: isChanged ? await appendFacts(trx, facts) : 0 };
  });
  wakeConsumers(deps.bus, position);
  return output;
}

interface CheckedKeys {
  deviceKeys: string | undefined;
  oneTimeKeys: StoredKey[];
  fallbackKeys: StoredKey[];
}

function checked(input: Input): CheckedKeys {
  const { deviceKeys } = input;
  if (deviceKeys !== undefined) {
    const problem = deviceKeysProblem(deviceKeys, input.userId, input.deviceId);
    if (problem !== undefined) throw invalidParam(`device_keys ${problem}.`);
  }
  const fallbackKeys = storedKeys(input.fallbackKeys);
  if (new Set(fallbackKeys.map((one) => one.algorithm)).size < fallbackKeys.length) {
    throw invalidParam('There is one fallback key per algorithm.');
  }
  return {
    deviceKeys: deviceKeys === undefined ? undefined : bounded(deviceKeys, maximumDeviceKeysBytes),
    oneTimeKeys: storedKeys(input.oneTimeKeys),
    fallbackKeys,
  };
}

function storedKeys(keys: Record<string, string | JsonObject> = {}): StoredKey[] {
  return Object.entries(keys).map(([name, key]) => {
    const [, algorithm, keyId] = keyIdPattern.exec(name) ?? [];
    if (algorithm === undefined || keyId === undefined) {
      throw invalidParam('A key is named by its algorithm, a colon and an ID.');
    }
    return { algorithm, keyId, key: bounded(key, maximumKeyBytes) };
  });
}

function bounded(key: string | JsonObject, maximumBytes: number): string {
  const text = canonicalJson(key);
  if (Buffer.byteLength(text) > maximumBytes) throw tooLarge('A key is too large.');
  return text;
}

async function store(trx: UserapiTransaction, input: Input, keys: CheckedKeys): Promise<boolean> {
  if (keys.oneTimeKeys.length > 0) {
    const different = await insertOneTimeKeys(trx, input, keys.oneTimeKeys);
    if (different !== undefined) {
      throw invalidParam(`There is a one-time key ${different} already, with another content.`);
    }
  }
  if (keys.fallbackKeys.length > 0) await upsertFallbackKeys(trx, input, keys.fallbackKeys);
  return keys.deviceKeys !== undefined && (await upsertDeviceKeys(trx, input, keys.deviceKeys));
}

function checkTotal(counts: Record<string, number>): void {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total > maximumKeysOfDevice) {
    throw tooLarge(`A device has at most ${maximumKeysOfDevice} one-time keys.`);
  }
}
