import { Buffer } from 'node:buffer';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { decodeUnpaddedBase64, encodeUnpaddedBase64 } from './base64.ts';
import { canonicalJson, type CanonicalOptions } from './json.ts';
import { isJsonObject, own, ownString, type JsonObject } from './json-types.ts';

export interface SigningKey {
  /** Algorithm and version, such as `ed25519:a_1f2e`. */
  readonly keyId: string;
  /** 32 bytes in unpadded Base64. */
  readonly publicKey: string;
  /** Opaque to everyone but node:crypto; it does not show in logs or JSON. */
  readonly privateKey: KeyObject;
}

export type Signatures = Record<string, Record<string, string>>;

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_LINE = /^ed25519[ \t]+([A-Za-z0-9_]+)[ \t]+([A-Za-z0-9+/]+={0,2})$/;
const MAX_CACHED_KEYS = 1000;

const publicKeys = new Map<string, KeyObject>();

export function generateSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return makeKey(`a_${randomBytes(3).toString('hex')}`, privateKey);
}

/** One line, `ed25519 <version> <seed in unpadded Base64>`, as in the key files of other homeservers. */
export function serialiseSigningKey(key: SigningKey): string {
  const seed = key.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_PREFIX.length);
  return `ed25519 ${key.keyId.slice('ed25519:'.length)} ${encodeUnpaddedBase64(seed)}`;
}

/** Reads the first line of a key file; the error never shows the text, as it may hold the seed. */
export function parseSigningKey(text: string): SigningKey {
  const match = KEY_LINE.exec(text.trim().split(/\r?\n/, 1)[0]?.trim() ?? '');
  const version = match?.[1];
  const seed = Buffer.from(match?.[2] ?? '', 'base64');
  if (version === undefined || seed.length !== 32) {
    throw new Error('Not a signing key: expected "ed25519 <version> <32 bytes in Base64>"');
  }
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  return makeKey(version, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** The signature of the UTF-8 bytes of a text, or of bytes, in unpadded Base64. */
export function signBytes(data: string | Uint8Array, key: SigningKey): string {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  return encodeUnpaddedBase64(sign(null, bytes, key.privateKey));
}

/** Whether the signature is right; false, never an error, for keys and signatures that are malformed. */
export function verifyBytes(data: string | Uint8Array, signature: string, publicKey: string): boolean {
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    return verify(null, bytes, publicKeyObject(publicKey), decodeUnpaddedBase64(signature));
  } catch {
    return false;
  }
}

/** Appendices, "Signing Details": a copy with the signature added; `unsigned` stays and is not covered. */
export function signJson<T extends object>(
  object: T,
  serverName: string,
  key: SigningKey,
): T & { signatures: Signatures } {
  const signature = signBytes(signedText(object), key);
  const signatures: Signatures = { ...(own(object, 'signatures') as Signatures | undefined) };
  signatures[serverName] = { ...signatures[serverName], [key.keyId]: signature };
  return { ...object, signatures };
}

/** Appendices, "Checking for a Signature", for one key; false for anything malformed. */
export function verifyJson(object: unknown, serverName: string, keyId: string, publicKey: string): boolean {
  const signature = ownString(own(own(object, 'signatures'), serverName), keyId);
  if (signature === undefined || !keyId.startsWith('ed25519:') || !isJsonObject(object)) return false;
  try {
    return verifyBytes(signedText(object), signature, publicKey);
  } catch {
    return false;
  }
}

/** The canonical text that a signature covers: everything but `signatures` and `unsigned`. */
export function signedText(object: object, options?: CanonicalOptions): string {
  const { signatures: _signatures, unsigned: _unsigned, ...covered } = object as JsonObject;
  return canonicalJson(covered, options);
}

function makeKey(version: string, privateKey: KeyObject): SigningKey {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = encodeUnpaddedBase64(spki.subarray(SPKI_PREFIX.length));
  return { keyId: `ed25519:${version}`, publicKey, privateKey };
}

function publicKeyObject(publicKey: string): KeyObject {
  const cached = publicKeys.get(publicKey);
  if (cached !== undefined) return cached;
  const raw = decodeUnpaddedBase64(publicKey);
  if (raw.length !== 32) throw new Error('An Ed25519 public key has 32 bytes');
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  if (publicKeys.size >= MAX_CACHED_KEYS) publicKeys.clear();
  publicKeys.set(publicKey, key);
  return key;
}
