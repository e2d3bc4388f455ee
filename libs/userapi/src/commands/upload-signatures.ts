import { sql } from 'kysely';
import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi, UserapiFact } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { type JsonObject, own, ownString, signedText, tooLarge, verifyJson } from '@seneschal/matrix';

import { lockAccount } from '../storage/accounts.ts';
import {
  insertSignatures,
  type KeySignature,
  selectCrossSigningKeys,
  type SignedKey,
  type StoredCrossSigningKeys,
} from '../storage/cross-signing.ts';
import { appendFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.uploadSignatures.input>;
type Output = z.infer<typeof userapi.uploadSignatures.output>;

export interface UploadSignaturesDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Keys in one upload: a client sends its own device, its master key, or a user that it has just verified. */
const maximumKeys = 500;

/**
 * Adds signatures (client-server API, `POST /keys/signatures/upload`): by the self-signing key on own devices, by
 * own devices on the own master key, by the user-signing key on master keys of others. What is not so, or is
 * signed over other content than is stored, is named in `failures` and stops nothing else.
 */
export async function uploadSignatures(deps: UploadSignaturesDeps, input: Input): Promise<Output> {
  const { userId } = input;
  const asked = Object.entries(input.signed).flatMap(([target, keys]) =>
    Object.entries(keys).map(([keyId, object]) => ({ target, keyId, object })),
  );
  if (asked.length > maximumKeys) throw tooLarge(`At most ${maximumKeys} keys are signed at once.`);
  const { output, position } = await transact(deps.db, async (trx) => {
    await lockAccount(trx, userId);
    const known = await load(trx, userId, Object.keys(input.signed));
    const found: KeySignature[] = [];
    const output: Output = { failures: {} };
    for (const one of asked) {
      const result = check(known, userId, one);
      if (Array.isArray(result)) found.push(...result);
      else (output.failures[one.target] ??= {})[one.keyId] = result;
    }
    const changed = found.length === 0 ? [] : await insertSignatures(trx, userId, found);
    const facts = changed.map((key) => factOf(userId, key, known));
    return { output, position: facts.length === 0 ? 0 : await appendFacts(trx, facts) };
  });
  wakeConsumers(deps.bus, position);
  return output;
}

/** Only the signer sees a signature on the key of another user. */
function factOf(userId: string, key: SignedKey, { devices }: Known): UserapiFact {
  if (key.userId !== userId) return { kind: 'user_signed', userId, target: key.userId };
  return devices.has(key.keyId)
    ? { kind: 'device_list_changed', userId, deviceId: key.keyId }
    : { kind: 'device_list_changed', userId, crossSigning: true };
}

interface Known {
  own: StoredCrossSigningKeys;
  /** By device ID. */
  devices: Map<string, JsonObject>;
  masters: Map<string, JsonObject>;
}

async function load(trx: UserapiTransaction, userId: string, targets: string[]): Promise<Known> {
  const keys = await selectCrossSigningKeys(trx, [userId, ...targets]);
  const devices = await sql<{ device_id: string; keys: string }>`
    SELECT device_id, keys FROM userapi_device_keys WHERE user_id = ${userId}
  `.execute(trx);
  const remote = await sql<{ user_id: string; master_key: string }>`
    SELECT user_id, master_key FROM userapi_remote_device_lists
    WHERE user_id = ANY(${targets}::text[]) AND master_key IS NOT NULL
  `.execute(trx);
  const masters = new Map(remote.rows.map((row) => [row.user_id, parse(row.master_key)]));
  for (const [user, { master }] of keys) if (master !== undefined) masters.set(user, parse(master.key));
  return {
    own: keys.get(userId) ?? {},
    devices: new Map(devices.rows.map((row) => [row.device_id, parse(row.keys)])),
    masters,
  };
}

function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

interface Asked {
  target: string;
  keyId: string;
  object: JsonObject;
}
interface Failure {
  errcode: string;
  error: string;
}

function check(known: Known, userId: string, { target, keyId, object }: Asked): KeySignature[] | Failure {
  const master = known.masters.get(target);
  const isMaster = ownString(own(master, 'keys'), `ed25519:${keyId}`) === keyId;
  const stored = isMaster ? master : target === userId ? known.devices.get(keyId) : undefined;
  if (stored === undefined) return { errcode: 'M_NOT_FOUND', error: 'There is no such key.' };
  if (textOf(stored) !== textOf(object)) return invalid('The key is stored with another content.');
  const signers = signersOf(known, userId, target, isMaster);
  const valid = [...signers].filter(([signerKeyId, publicKey]) =>
    verifyJson(object, userId, signerKeyId, publicKey),
  );
  if (valid.length === 0) return invalid('None of the signatures is by a key that may sign this.');
  return valid.map(([signerKeyId]) => ({
    userId: target,
    keyId,
    signerKeyId,
    signature: ownString(own(own(object, 'signatures'), userId), signerKeyId) ?? '',
  }));
}

function invalid(error: string): Failure {
  return { errcode: 'M_INVALID_SIGNATURE', error };
}

function textOf(object: JsonObject): string | undefined {
  try {
    return signedText(object);
  } catch {
    return undefined;
  }
}

/** The keys that may sign: key IDs with their public keys. */
function signersOf(known: Known, userId: string, target: string, isMaster: boolean): Map<string, string> {
  const { own: keys, devices } = known;
  if (target === userId && isMaster) {
    return new Map(
      [...devices].map(([deviceId, device]) => {
        const keyId = `ed25519:${deviceId}`;
        return [keyId, ownString(own(device, 'keys'), keyId) ?? ''];
      }),
    );
  }
  const signer = target === userId ? keys.self_signing : keys.user_signing;
  return new Map(signer === undefined ? [] : [[`ed25519:${signer.publicKey}`, signer.publicKey]]);
}
