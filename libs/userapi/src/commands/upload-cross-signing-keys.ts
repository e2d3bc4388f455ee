import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import {
  canonicalJson,
  crossSigningKeyOf,
  type CrossSigningUsage,
  forbidden,
  invalidParam,
  type JsonObject,
  MatrixError,
  missingParam,
  tooLarge,
  verifyJson,
} from '@seneschal/matrix';

import { lockAccount } from '../storage/accounts.ts';
import {
  removeCrossSigningKeys,
  selectCrossSigningKeys,
  type StoredCrossSigningKey,
  type StoredCrossSigningKeys,
  upsertCrossSigningKey,
} from '../storage/cross-signing.ts';
import { appendFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.uploadCrossSigningKeys.input>;

export interface UploadCrossSigningKeysDeps {
  db: UserapiDb;
  bus: WakeBus;
}

const maximumKeyBytes = 65_536;

/**
 * Sets the cross-signing keys that are given. A new master key takes those away that the old one signed. The same
 * keys again change nothing, and need no proof of who asks (client-server API, `POST /keys/device_signing/upload`).
 */
export async function uploadCrossSigningKeys(
  deps: UploadCrossSigningKeysDeps,
  input: Input,
): Promise<Record<string, never>> {
  const { userId, isAuthenticated } = input;
  const given = read(input);
  const position = await transact(deps.db, async (trx) => {
    await lockAccount(trx, userId);
    const held = (await selectCrossSigningKeys(trx, [userId])).get(userId) ?? {};
    checkSigned(userId, given, given.master ?? held.master);
    const changed = usagesOf(given).filter((usage) => given[usage]?.key !== held[usage]?.key);
    if (changed.length === 0) return 0;
    const isOther = changed.some((usage) => given[usage]?.publicKey !== held[usage]?.publicKey);
    if (held.master !== undefined && isOther && !isAuthenticated) {
      throw forbidden('There are other keys already.');
    }
    await replace(trx, userId, held, given);
    return appendFacts(trx, [{ kind: 'device_list_changed', userId, crossSigning: true }]);
  });
  wakeConsumers(deps.bus, position);
  return {};
}

function read(input: Input): StoredCrossSigningKeys {
  const given: [CrossSigningUsage, JsonObject | undefined][] = [
    ['master', input.masterKey],
    ['self_signing', input.selfSigningKey],
    ['user_signing', input.userSigningKey],
  ];
  const keys: StoredCrossSigningKeys = {};
  for (const [usage, key] of given) {
    if (key === undefined) continue;
    const publicKey = crossSigningKeyOf(key, input.userId, usage);
    if (publicKey === undefined) throw invalidParam(`That is no ${usage} key of the user.`);
    const { unsigned: _, ...rest } = key;
    const text = canonicalJson(rest);
    if (Buffer.byteLength(text) > maximumKeyBytes) throw tooLarge('A key is too large.');
    keys[usage] = { publicKey, key: text };
  }
  return keys;
}

function usagesOf(keys: StoredCrossSigningKeys): CrossSigningUsage[] {
  return Object.keys(keys) as CrossSigningUsage[];
}

function checkSigned(
  userId: string,
  given: StoredCrossSigningKeys,
  master: StoredCrossSigningKey | undefined,
): void {
  if (master === undefined) throw missingParam('There is no master key.');
  const keyId = `ed25519:${master.publicKey}`;
  for (const usage of ['self_signing', 'user_signing'] as const) {
    const key = given[usage];
    if (key === undefined || verifyJson(JSON.parse(key.key), userId, keyId, master.publicKey)) continue;
    throw new MatrixError(400, 'M_INVALID_SIGNATURE', `The master key did not sign the ${usage} key.`);
  }
}

async function replace(
  trx: UserapiTransaction,
  userId: string,
  held: StoredCrossSigningKeys,
  given: StoredCrossSigningKeys,
): Promise<void> {
  const isNewMaster =
    given.master !== undefined &&
    held.master !== undefined &&
    given.master.publicKey !== held.master.publicKey;
  const gone = usagesOf(held).filter((usage) =>
    given[usage] === undefined ? isNewMaster : given[usage].publicKey !== held[usage]?.publicKey,
  );
  await removeCrossSigningKeys(
    trx,
    userId,
    gone.map((usage) => held[usage]?.publicKey ?? ''),
  );
  for (const usage of usagesOf(given)) {
    const key = given[usage];
    if (key !== undefined) await upsertCrossSigningKey(trx, userId, usage, key);
  }
}
