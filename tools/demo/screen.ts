const barWidth = 30;

/** What the demo shows: a progress bar while it works, then one line per call. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  #failures = 0;
  #lastPercent = -1;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get failures(): number {
    return this.#failures;
  }

  line(text = ''): void {
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  /** On a terminal a bar that moves; else a line at every tenth. */
  progress(label: string, done: number, total: number): void {
    const percent = Math.floor((100 * done) / Math.max(total, 1));
    if (!this.#out.isTTY) {
      const isNew = percent % 10 === 0 && percent !== this.#lastPercent;
      if (isNew) this.#out.write(`  ${label}: ${percent} %\n`);
    } else if (percent !== this.#lastPercent) {
      const filled = Math.round((barWidth * percent) / 100);
      this.#out.write(
        `\r  ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${label} ${done}/${total}\u001b[K`,
      );
    }
    this.#lastPercent = percent;
  }

  /** One line: what was called, on what size, how long it took, and whether the clients see it. */
  result(call: string, size: string, milliseconds: number, problem: string | undefined): void {
    const mark = problem === undefined ? '✔' : '✘';
    const verdict = problem === undefined ? 'verified' : `NOT VERIFIED: ${problem}`;
    const time = `${(milliseconds / 1000).toFixed(2)} s`;
    this.line(`${mark} ${call.padEnd(50)} ${size.padEnd(26)} ${time.padStart(8)}  ${verdict}`);
    if (problem !== undefined) this.#failures += 1;
  }

  #clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
    this.#lastPercent = -1;
  }
}
