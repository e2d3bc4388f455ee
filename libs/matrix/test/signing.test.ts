import {
  decodeUnpaddedBase64,
  encodeUnpaddedBase64,
  encodeUrlSafeBase64,
  generateSigningKey,
  parseSigningKey,
  serialiseSigningKey,
  signJson,
  verifyBytes,
  verifyJson,
} from '../src/index.ts';
import { SPEC_KEY, failure } from './fixtures.ts';

describe('Base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('encodes %j as the specification does', (text, expected) => {
    expect(encodeUnpaddedBase64(Buffer.from(text))).toBe(expected);
    expect(decodeUnpaddedBase64(expected).toString()).toBe(text);
  });

  it('decodes padded text and refuses what is no Base64', () => {
    expect(decodeUnpaddedBase64('Zg==').toString()).toBe('f');
    for (const text of ['Z', 'Z g', 'Zg-_', 'Zg===', 'é']) {
      expect(() => decodeUnpaddedBase64(text)).toThrow(failure('M_BAD_JSON'));
    }
  });

  it('has a URL-safe form', () => {
    expect(encodeUrlSafeBase64(new Uint8Array([255, 254, 253]))).toBe('__79');
  });
});

describe('signing JSON', () => {
  it.each([
    [{}, 'K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ'],
    [
      { one: 1, two: 'Two' },
      'KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw',
    ],
  ])('gives the signature of the specification for %j', (object, signature) => {
    const signed = signJson(object, 'domain', SPEC_KEY);
    expect(signed).toEqual({ ...object, signatures: { domain: { 'ed25519:1': signature } } });
    expect(verifyJson(signed, 'domain', 'ed25519:1', SPEC_KEY.publicKey)).toBe(true);
  });

  it('keeps other signatures and leaves unsigned out', () => {
    const other = generateSigningKey();
    const once = signJson({ a: 1, unsigned: { age: 1 } }, 'one', SPEC_KEY);
    const twice = signJson(signJson(once, 'one', other), 'two', other);
    expect(verifyJson({ ...twice, unsigned: { age: 2 } }, 'one', 'ed25519:1', SPEC_KEY.publicKey)).toBe(true);
    expect(verifyJson(twice, 'one', other.keyId, other.publicKey)).toBe(true);
    expect(verifyJson(twice, 'two', other.keyId, other.publicKey)).toBe(true);
  });

  it.each([
    ['another server', { server: 'other' }],
    ['another key ID', { keyId: 'ed25519:2' }],
    ['another algorithm', { keyId: 'rsa:1' }],
    ['another key', { publicKey: generateSigningKey().publicKey }],
    ['a key that is none', { publicKey: 'AAAA' }],
    ['a changed object', { object: { a: 2 } }],
    ['a float in it', { object: { a: 1.5 } }],
  ])('fails for %s', (_name, change) => {
    const { object, server, keyId, publicKey } = {
      object: {},
      server: 'domain',
      keyId: 'ed25519:1',
      publicKey: SPEC_KEY.publicKey,
      ...change,
    };
    const signed = { ...signJson({ a: 1 }, 'domain', SPEC_KEY), ...object };
    expect(verifyJson(signed, server, keyId, publicKey)).toBe(false);
  });

  it.each([null, 1, [], {}, { signatures: 1 }, { signatures: { domain: { 'ed25519:1': '***' } } }])(
    'fails for %j',
    (value) => {
      expect(verifyJson(value, 'domain', 'ed25519:1', SPEC_KEY.publicKey)).toBe(false);
    },
  );
});

describe('signing keys', () => {
  it('survive being written and read', () => {
    const key = generateSigningKey();
    const again = parseSigningKey(`${serialiseSigningKey(key)}\n`);
    expect(again.keyId).toBe(key.keyId);
    expect(again.publicKey).toBe(key.publicKey);
    // The specification's seed ends in bits that Base64 does not count.
    expect(serialiseSigningKey(SPEC_KEY)).toBe('ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0');
  });

  it('do not show their seed', () => {
    expect(JSON.stringify(SPEC_KEY)).not.toContain('YJDBA9');
  });

  it.each(['', 'ed25519 1', 'ed25519 1 AAAA', 'rsa 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1', 'secret'])(
    'refuse %j without repeating it',
    (text) => {
      expect(() => parseSigningKey(text)).toThrow('Not a signing key: expected');
    },
  );

  it('verify bytes', () => {
    expect(verifyBytes('x', 'AAAA', SPEC_KEY.publicKey)).toBe(false);
  });
});
