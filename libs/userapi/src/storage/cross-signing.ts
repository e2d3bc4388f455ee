import { type Kysely, sql } from 'kysely';

import type { CrossSigningUsage } from '@seneschal/matrix';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

export interface StoredCrossSigningKey {
  publicKey: string;
  /** Canonical JSON. */
  key: string;
}

export type StoredCrossSigningKeys = Partial<Record<CrossSigningUsage, StoredCrossSigningKey>>;

/** The cross-signing keys of users of this server. */
export async function selectCrossSigningKeys(
  db: Kysely<UserapiTables>,
  userIds: readonly string[],
): Promise<Map<string, StoredCrossSigningKeys>> {
  const rows = await db
    .selectFrom('userapi_cross_signing_keys')
    .selectAll()
    .where(sql<boolean>`user_id = ANY(${[...userIds]}::text[])`)
    .execute();
  const users = new Map<string, StoredCrossSigningKeys>();
  for (const { user_id: userId, usage, public_key: publicKey, key } of rows) {
    users.set(userId, { ...users.get(userId), [usage]: { publicKey, key } });
  }
  return users;
}

export async function upsertCrossSigningKey(
  trx: UserapiTransaction,
  userId: string,
  usage: CrossSigningUsage,
  { publicKey, key }: StoredCrossSigningKey,
): Promise<void> {
  await sql`
    INSERT INTO userapi_cross_signing_keys (user_id, usage, public_key, key)
    VALUES (${userId}, ${usage}, ${publicKey}, ${key})
    ON CONFLICT (user_id, usage) DO UPDATE SET public_key = excluded.public_key, key = excluded.key
  `.execute(trx);
}

/** Takes keys away, with what they signed and what was signed of them. */
export async function removeCrossSigningKeys(
  trx: UserapiTransaction,
  userId: string,
  publicKeys: readonly string[],
): Promise<void> {
  const keyIds = publicKeys.map((publicKey) => `ed25519:${publicKey}`);
  await sql`DELETE FROM userapi_cross_signing_keys
    WHERE user_id = ${userId} AND public_key = ANY(${publicKeys}::text[])`.execute(trx);
  await sql`DELETE FROM userapi_key_signatures
    WHERE user_id = ${userId} AND key_id = ANY(${publicKeys}::text[])`.execute(trx);
  await sql`DELETE FROM userapi_key_signatures
    WHERE signer = ${userId} AND signer_key_id = ANY(${keyIds}::text[])`.execute(trx);
}

export interface KeySignature {
  userId: string;
  keyId: string;
  signerKeyId: string;
  signature: string;
}

export type SignedKey = Pick<KeySignature, 'userId' | 'keyId'>;

/** Adds signatures by one user. Answers the keys that have one that was not there. */
export async function insertSignatures(
  trx: UserapiTransaction,
  signer: string,
  signatures: readonly KeySignature[],
): Promise<SignedKey[]> {
  const result = await sql<SignedKey>`
    INSERT INTO userapi_key_signatures AS s (user_id, key_id, signer, signer_key_id, signature)
    SELECT n.user_id, n.key_id, ${signer}, n.signer_key_id, n.signature FROM unnest(
      ${signatures.map((one) => one.userId)}::text[], ${signatures.map((one) => one.keyId)}::text[],
      ${signatures.map((one) => one.signerKeyId)}::text[], ${signatures.map((one) => one.signature)}::text[]
    ) AS n (user_id, key_id, signer_key_id, signature)
    ON CONFLICT (user_id, key_id, signer, signer_key_id) DO UPDATE SET signature = excluded.signature
    WHERE s.signature <> excluded.signature
    RETURNING user_id AS "userId", key_id AS "keyId"
  `.execute(trx);
  const keys = new Map(result.rows.map((key) => [signedKey(key.userId, key.keyId), key]));
  return [...keys.values()];
}

/** Signatures that were added to a key, by signer and by the signer's key. */
export type AddedSignatures = Record<string, Record<string, string>>;

/** What was added to the keys of users: by the users themselves, and by `signer`. By user and key, see `signedKey`. */
export async function selectSignatures(
  db: Kysely<UserapiTables>,
  userIds: readonly string[],
  signer: string | null,
): Promise<Map<string, AddedSignatures>> {
  const rows = await db
    .selectFrom('userapi_key_signatures')
    .selectAll()
    .where(sql<boolean>`user_id = ANY(${[...userIds]}::text[])`)
    .where(sql<boolean>`(signer = user_id OR signer = ${signer}::text)`)
    .execute();
  const keys = new Map<string, AddedSignatures>();
  for (const row of rows) {
    const key = signedKey(row.user_id, row.key_id);
    const added = keys.get(key) ?? {};
    added[row.signer] = { ...added[row.signer], [row.signer_key_id]: row.signature };
    keys.set(key, added);
  }
  return keys;
}

export function signedKey(userId: string, keyId: string): string {
  return `${userId}\0${keyId}`;
}
