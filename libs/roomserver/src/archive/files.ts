import { createReadStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';

import { badJson, invalidParam, notFound } from '@seneschal/matrix';

import { longestLine } from './lines.ts';

const compress = promisify(gzip);
const suffix = '.ndjson.gz';

/** The archives of rooms, in a folder of their own below the data folder. */
export class ArchiveFiles {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'exports');
  }

  /** The name of a new archive; it is made of a random ID of ours, never of what anybody sent. */
  nameOf(deletionId: string): string {
    return `${safe(deletionId)}${suffix}`;
  }

  /**
   * Appends text as one gzip member at `offset`, cutting off what stands behind it: what a writer that died
   * has left there. Answers the new end. A file that is shorter than `offset` has lost something.
   */
  async append(name: string, offset: number, text: string): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#path(name), offset === 0 ? 'w' : 'r+', 0o600);
    try {
      const { size } = await file.stat();
      if (size < offset) throw new Error('An export has lost what was written to it.');
      await file.truncate(offset);
      const member = await compress(text);
      await file.write(member, 0, member.length, offset);
      await file.datasync();
      return offset + member.length;
    } finally {
      await file.close();
    }
  }

  /** Throws M_INVALID_PARAM for what is not the name of an archive, M_NOT_FOUND when there is none of the name. */
  async check(name: string): Promise<void> {
    const found = await stat(this.#path(name)).catch(() => undefined);
    if (found?.isFile() !== true) throw notFound('There is no export of this name.');
  }

  /**
   * The lines of an archive, one at a time and within bounds: however long the file or a line in it, no more
   * than a line is in memory. Throws M_BAD_JSON when it is no archive.
   */
  async *lines(name: string): AsyncGenerator<string, void, undefined> {
    await this.check(name);
    const source = createReadStream(this.#path(name));
    const plain = source.pipe(createGunzip());
    source.on('error', (error) => plain.destroy(error));
    let rest = '';
    try {
      plain.setEncoding('utf8');
      for await (const chunk of plain as AsyncIterable<string>) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        if (rest.length > longestLine || parts.some((line) => line.length > longestLine)) {
          throw badJson('The export has a line that is too long.');
        }
        yield* parts;
      }
    } catch (error) {
      throw isCompressionError(error) ? badJson('The export is damaged: it cannot be decompressed.') : error;
    } finally {
      source.destroy();
      plain.destroy();
    }
    if (rest !== '') throw badJson('The export ends in the middle of a line.');
  }

  #path(name: string): string {
    if (!name.endsWith(suffix)) throw invalidParam('That is not the name of an export.');
    return join(this.#folder, `${safe(name.slice(0, -suffix.length))}${suffix}`);
  }
}

/** A name without any part that a file system would read as more than a name. */
function safe(name: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw invalidParam('That is not the name of an export.');
  return name;
}

/** zlib's errors have codes such as `Z_DATA_ERROR`. */
function isCompressionError(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}
