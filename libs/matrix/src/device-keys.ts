import { isJsonObject, own, ownString } from './json-types.ts';

/** The usages of cross-signing keys (client-server API, "Cross-signing"). */
export const crossSigningUsages = ['master', 'self_signing', 'user_signing'] as const;
export type CrossSigningUsage = (typeof crossSigningUsages)[number];

/** The public key of a cross-signing key; undefined when it is not a well-formed one of this user and usage. */
export function crossSigningKeyOf(
  key: unknown,
  userId: string,
  usage: CrossSigningUsage,
): string | undefined {
  const usages = own(key, 'usage');
  const keys = own(key, 'keys');
  if (!isJsonObject(keys) || ownString(key, 'user_id') !== userId) return undefined;
  const [[keyId, publicKey] = ['', ''], ...more] = Object.entries(keys);
  if (typeof publicKey !== 'string' || keyId !== `ed25519:${publicKey}` || more.length > 0) return undefined;
  const isSound =
    Array.isArray(usages) && usages.includes(usage) && isSignatures(own(key, 'signatures') ?? {});
  return isSound ? publicKey : undefined;
}

/**
 * What is wrong with the identity keys of a device (client-server API, `DeviceKeys`), as the end of a sentence;
 * undefined when nothing is. What passes is handed to clients and to other servers as it is.
 */
export function deviceKeysProblem(keys: unknown, userId: string, deviceId: string): string | undefined {
  if (ownString(keys, 'user_id') !== userId || ownString(keys, 'device_id') !== deviceId) {
    return 'names another user or device';
  }
  const algorithms = own(keys, 'algorithms');
  if (!Array.isArray(algorithms) || algorithms.some((one) => typeof one !== 'string')) {
    return 'has no list of algorithms';
  }
  const publicKeys = own(keys, 'keys');
  if (!isJsonObject(publicKeys)) return 'has no keys';
  const isOwn = ([name, key]: [string, unknown]): boolean =>
    typeof key === 'string' && name.slice(name.indexOf(':')) === `:${deviceId}` && !name.startsWith(':');
  if (!Object.entries(publicKeys).every(isOwn)) return 'has keys that are no keys of the device';
  return isSignatures(own(keys, 'signatures')) ? undefined : 'has no signatures';
}

/** Whether it has the form of signatures: by entity and key, text. */
export function isSignatures(value: unknown): value is Record<string, Record<string, string>> {
  return (
    isJsonObject(value) &&
    Object.values(value).every(
      (byKey) => isJsonObject(byKey) && Object.values(byKey).every((one) => typeof one === 'string'),
    )
  );
}
