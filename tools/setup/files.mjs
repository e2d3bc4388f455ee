import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The text of a file, or undefined where there is none. */
export function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function readJson(file) {
  try {
    return JSON.parse(readText(file) ?? 'null') ?? undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a file so that a reader sees the old text or the new one, never a part. */
export function writeWhole(file, text, mode = 0o600) {
  const temporary = `${file}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode, flag: 'wx' });
  renameSync(temporary, file);
}

/** Makes a folder with exactly this mode, whatever the umask; one that is there already is left as it is. */
export function makeFolder(folder, mode) {
  if (existsSync(folder)) return;
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
}

/** The mode of a data folder. As root, PostgreSQL's user has to pass through; what is inside has its own modes. */
export const dataFolderMode = process.getuid?.() === 0 ? 0o711 : 0o700;

/** A secret of 43 characters (256 bits) that needs no escaping in a URL. */
export function randomSecret() {
  return randomBytes(32).toString('base64url');
}

export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Empties a log that grew beyond what anybody reads. */
export function limitLog(file, bytes = 10 * 1024 * 1024) {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > bytes) truncateSync(file);
}

/** The last lines of a log, or of those among them that match. */
export function lastLines(file, count, matching) {
  const lines = (readText(file) ?? '').trimEnd().split('\n').slice(-50);
  const chosen = matching === undefined ? lines : lines.filter((line) => matching.test(line));
  return (chosen.length > 0 ? chosen : lines).slice(-count).join('\n');
}
