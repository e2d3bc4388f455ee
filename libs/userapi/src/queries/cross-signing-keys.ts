import type { CrossSigningKeys } from '@seneschal/contracts';
import { isJsonObject, type JsonObject, own } from '@seneschal/matrix';

import {
  type AddedSignatures,
  selectCrossSigningKeys,
  selectSignatures,
  signedKey,
} from '../storage/cross-signing.ts';
import type { UserapiDb } from '../storage/tables.ts';

/**
 * Cross-signing keys of users of this server, with the signatures that were added to them; users without any are
 * not in it.
 * @param requester who sees their own user-signing key and their own signatures on others' keys; null for nobody
 */
export async function crossSigningKeys(
  db: UserapiDb,
  userIds: readonly string[],
  requester: string | null,
): Promise<Map<string, CrossSigningKeys>> {
  const stored = await selectCrossSigningKeys(db, userIds);
  if (stored.size === 0) return new Map();
  const added = await selectSignatures(db, [...stored.keys()], requester);
  return new Map(
    [...stored].map(([userId, { master, self_signing: selfSigning, user_signing: userSigning }]) => [
      userId,
      {
        ...(master === undefined
          ? {}
          : { master: signed(parse(master.key), added.get(signedKey(userId, master.publicKey))) }),
        ...(selfSigning === undefined ? {} : { selfSigning: parse(selfSigning.key) }),
        ...(userSigning === undefined || userId !== requester ? {} : { userSigning: parse(userSigning.key) }),
      },
    ]),
  );
}

function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

/** A key with further signatures beside those that it came with. */
export function signed(key: JsonObject, added: AddedSignatures | undefined): JsonObject {
  if (added === undefined) return key;
  const before = own(key, 'signatures');
  const signatures: JsonObject = isJsonObject(before) ? { ...before } : {};
  for (const [signer, byKey] of Object.entries(added)) {
    const earlier = own(signatures, signer);
    signatures[signer] = { ...(isJsonObject(earlier) ? earlier : {}), ...byKey };
  }
  return { ...key, signatures };
}
