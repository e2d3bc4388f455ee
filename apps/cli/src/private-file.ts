import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { usage } from './exit-codes.ts';

/** The text of a file that only its user may read; undefined when there is none. Throws when others could read it. */
export function readPrivate(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  if ((statSync(file).mode & 0o077) !== 0) {
    throw usage(`${file} holds a token, and others may read it. Run: chmod 600 ${file}`);
  }
  return readFileSync(file, 'utf8');
}

/** Writes such a file, as a whole or not at all. */
export function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const whole = `${file}.new`;
  rmSync(whole, { force: true });
  writeFileSync(whole, text, { mode: 0o600, flag: 'wx' });
  chmodSync(whole, 0o600);
  renameSync(whole, file);
}

export function removePrivate(file: string): void {
  rmSync(file, { force: true });
}
