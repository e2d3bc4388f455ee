import { once } from 'node:events';

import type { Refused } from './exit-codes.ts';
import type { Host } from './host.ts';
import { nextOf, withoutNext } from './pages.ts';
import { render } from './render.ts';
import type { GlobalOptions } from './settings.ts';
import { harmless, printedJson } from './text.ts';

interface Printed {
  target: string;
  answer?: unknown;
  error?: { errcode: string; error: string };
}

/**
 * Prints answers: as people read them, or with --json as they came, the only one by itself and several in a list
 * with their targets.
 */
export class Printer {
  readonly #host: Host;
  readonly #options: Pick<GlobalOptions, 'json' | 'columns'>;
  readonly #isMany: boolean;
  readonly #kept: Printed[] = [];

  /** @param isMany whether there is more than one target, so that each answer says whose it is */
  constructor(host: Host, options: Pick<GlobalOptions, 'json' | 'columns'>, isMany = false) {
    this.#host = host;
    this.#options = options;
    this.#isMany = isMany;
  }

  answer(target: string, answer: unknown): void {
    this.#kept.push({ target, answer });
    if (this.#options.json === true) return;
    if (this.#isMany) this.#host.stdout.write(`${harmless(target)}\n`);
    this.#print(answer);
  }

  failure(target: string, { errcode, said }: Refused): void {
    this.#kept.push({ target, error: { errcode, error: said } });
    this.#host.stderr.write(`${harmless(target)}: ${errcode}: ${harmless(said)}\n`);
  }

  /** With --json everything is printed at the end, as one value. */
  end(): void {
    if (this.#options.json !== true) return;
    const value = this.#isMany ? this.#kept : this.#kept[0]?.answer;
    if (value !== undefined) this.#host.stdout.write(`${printedJson(value)}\n`);
  }

  #print(answer: unknown): void {
    const { stdout, stderr } = this.#host;
    const width = stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
    const isPage = typeof answer === 'object' && answer !== null && !Array.isArray(answer);
    const shown = isPage ? withoutNext(answer as Record<string, unknown>) : answer;
    stdout.write(`${render(shown, { width, columns: this.#options.columns })}\n`);
    const next = nextOf(answer);
    if (next !== undefined)
      stderr.write(`There is more: --from ${harmless(next)} for the next page, --all for everything.\n`);
  }

  /** A body as it comes, no faster than it is taken; to a terminal without what would command it. */
  async raw(response: Response): Promise<void> {
    if (response.body === null) return;
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const text = decoder.decode(chunk, { stream: true });
      const shown = this.#host.stdout.isTTY === true ? text.split('\n').map(harmless).join('\n') : text;
      if (!this.#host.stdout.write(shown)) await once(this.#host.stdout, 'drain');
    }
  }
}
