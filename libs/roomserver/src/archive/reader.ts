import type { ArchiveFiles } from './files.ts';

/** Reads an archive in portions. */
export class ArchiveReader {
  readonly #lines: AsyncGenerator<string, void, undefined>;
  #number = 0;

  constructor(files: ArchiveFiles, name: string) {
    this.#lines = files.lines(name);
  }

  /** Lines read so far. */
  get number(): number {
    return this.#number;
  }

  /** The next lines, at most so many, and so many characters; none at the end. */
  async take(most: number, characters = 4 * 1024 * 1024): Promise<string[]> {
    const taken: string[] = [];
    for (let length = 0; taken.length < most && length < characters;) {
      const next = await this.#lines.next();
      if (next.done === true) break;
      this.#number += 1;
      length += next.value.length;
      taken.push(next.value);
    }
    return taken;
  }

  /** Passes over lines that were dealt with before. */
  async skipTo(number: number): Promise<void> {
    while (this.#number < number && (await this.take(Math.min(1000, number - this.#number))).length > 0) {
      // Until there.
    }
  }

  async close(): Promise<void> {
    await this.#lines.return();
  }
}

/** The readers of the jobs that run in this process: a step goes on where the step before stopped. */
export class ArchiveReaders {
  readonly #files: ArchiveFiles;
  readonly #open = new Map<string, ArchiveReader>();

  constructor(files: ArchiveFiles) {
    this.#files = files;
  }

  /** A reader at a line; a new one when the job was in other hands, or has begun again. */
  async at(key: string, name: string, number: number): Promise<ArchiveReader> {
    const known = this.#open.get(key);
    if (known?.number === number) return known;
    await this.close(key);
    const reader = new ArchiveReader(this.#files, name);
    this.#open.set(key, reader);
    await reader.skipTo(number);
    return reader;
  }

  async close(key: string): Promise<void> {
    const reader = this.#open.get(key);
    this.#open.delete(key);
    await reader?.close();
  }
}
