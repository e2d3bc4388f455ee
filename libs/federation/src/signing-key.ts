import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Config } from '@seneschal/config';
import {
  generateSigningKey,
  parseSigningKey,
  serialiseSigningKey,
  type Signer,
  type SigningKey,
} from '@seneschal/matrix';

/** The server's name with its signing key, from the configured file or `signing.key` in the data folder. */
export async function loadSigner(
  config: Pick<Config, 'server_name' | 'data_dir' | 'signing_key_file'>,
): Promise<Signer> {
  const file = config.signing_key_file ?? join(config.data_dir, 'signing.key');
  return { serverName: config.server_name, key: await loadSigningKey(file) };
}

/**
 * The server's signing key. Made at the first start, readable by its owner alone; of several processes that
 * start at once one makes it and all read the same. Throws when the file cannot be read or holds no key.
 */
export async function loadSigningKey(file: string): Promise<SigningKey> {
  const text = (await readIfThere(file)) ?? (await makeKeyFile(file));
  return parseSigningKey(text);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A link appears with its whole content or not at all, so nobody ever reads half a key. */
async function makeKeyFile(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${serialiseSigningKey(generateSigningKey())}\n`);
    await handle.sync();
    await link(draft, file).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
