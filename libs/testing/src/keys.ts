import { type CrossSigningUsage, generateSigningKey, type SigningKey, signJson } from '@seneschal/matrix';

/** A key of a device or user of a test, with what a client would upload of it. */
export interface TestKey {
  signingKey: SigningKey;
  /** Signed by itself, or by `by`. */
  json: ReturnType<typeof signJson>;
}

function named(keyId: string): SigningKey {
  return { ...generateSigningKey(), keyId };
}

/** Identity keys of a device, as its client would upload them. */
export function deviceKeysOf(userId: string, deviceId: string): TestKey {
  const signingKey = named(`ed25519:${deviceId}`);
  const keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: { [signingKey.keyId]: signingKey.publicKey, [`curve25519:${deviceId}`]: signingKey.publicKey },
  };
  return { signingKey, json: signJson(keys, userId, signingKey) };
}

/** A cross-signing key of a user; `by` is the key that signs it, for others than the master key. */
export function crossSigningKey(userId: string, usage: CrossSigningUsage, by?: TestKey): TestKey {
  const { privateKey, publicKey } = generateSigningKey();
  const signingKey = { privateKey, publicKey, keyId: `ed25519:${publicKey}` };
  const key = { user_id: userId, usage: [usage], keys: { [signingKey.keyId]: publicKey } };
  return { signingKey, json: signJson(key, userId, by?.signingKey ?? signingKey) };
}
