import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { verifyJson } from '@seneschal/matrix';

import { serverKeys } from './server-keys.ts';
import { loadSigningKey } from './signing-key.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'seneschal-key-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('loadSigningKey', () => {
  it('makes a key that only the owner may read, and keeps it', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'new', 'signing.key');
      const made = await loadSigningKey(file);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await loadSigningKey(file)).publicKey).toBe(made.publicKey);
    }));

  it('answers the same key to all who start at once, and leaves no draft', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'signing.key');
      const keys = await Promise.all(Array.from({ length: 20 }, () => loadSigningKey(file)));
      expect(new Set(keys.map((key) => key.publicKey)).size).toBe(1);
      expect(await readdir(folder)).toEqual(['signing.key']);
    }));

  it('refuses a broken file without showing or replacing it', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'signing.key');
      await writeFile(file, 'ed25519 a_1 c2VjcmV0');
      await expect(loadSigningKey(file)).rejects.toThrow(/^Not a signing key(?!.*c2VjcmV0)/);
      expect(await readFile(file, 'utf8')).toBe('ed25519 a_1 c2VjcmV0');
    }));

  it('does not take a folder for a missing key', () =>
    inFolder(async (folder) => {
      await chmod(folder, 0o700);
      await expect(loadSigningKey(folder)).rejects.toThrow(/EISDIR/);
    }));
});

describe('serverKeys', () => {
  it('signs the key with itself', () =>
    inFolder(async (folder) => {
      const key = await loadSigningKey(join(folder, 'signing.key'));
      const answer = serverKeys({ serverName: 'example.org', key }, 1000);
      expect(answer.valid_until_ts).toBe(172_801_000);
      expect(answer.verify_keys).toEqual({ [key.keyId]: { key: key.publicKey } });
      expect(verifyJson(answer, 'example.org', key.keyId, key.publicKey)).toBe(true);
    }));
});
