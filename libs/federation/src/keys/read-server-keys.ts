import { isJsonObject, own, ownString, verifyJson } from '@seneschal/matrix';

import type { StoredServerKey } from '../storage/server-keys.ts';

/** A key is believed for a week at the longest, whatever its server says (server-server API, "Publishing Keys"). */
const longestValidityMs = 7 * 86_400_000;
const maximumKeys = 100;
const keyId = /^ed25519:\w{1,255}$/;
const publicKey = /^[A-Za-z0-9+/]{43}$/;

/**
 * The keys in a server's answer to `GET /_matrix/key/v2/server`. Of its present keys those count that signed the
 * answer, and one has to; then old keys count up to when they expired. Undefined when none did.
 */
export function readServerKeys(
  answer: unknown,
  serverName: string,
  now: number,
): StoredServerKey[] | undefined {
  const validUntil = own(answer, 'valid_until_ts');
  if (ownString(answer, 'server_name') !== serverName || !Number.isSafeInteger(validUntil)) return undefined;
  const until = Math.min(Number(validUntil), now + longestValidityMs);
  const present = keysOf(own(answer, 'verify_keys'), () => until).filter((key) =>
    verifyJson(answer, serverName, key.keyId, key.publicKey),
  );
  if (present.length === 0) return undefined;
  const known = new Set(present.map((key) => key.keyId));
  const old = keysOf(own(answer, 'old_verify_keys'), (entry) => {
    const expired = own(entry, 'expired_ts');
    return Number.isSafeInteger(expired) ? Math.min(Number(expired), now) : 0;
  });
  return [...present, ...old.filter((key) => !known.has(key.keyId))];
}

function keysOf(keys: unknown, validUntil: (entry: unknown) => number): StoredServerKey[] {
  if (!isJsonObject(keys)) return [];
  return Object.entries(keys)
    .slice(0, maximumKeys)
    .map(([id, entry]) => ({
      keyId: id,
      publicKey: ownString(entry, 'key') ?? '',
      validUntil: validUntil(entry),
    }))
    .filter((key) => keyId.test(key.keyId) && publicKey.test(key.publicKey));
}
