import { setTimeout as delay } from 'node:timers/promises';

import { HttpClient } from '../shared/client.ts';
import { at, text, type User } from '../shared/matrix.ts';

interface Heard {
  event_id: string;
  content: { body?: string };
}

/** Is told of each message that a client is told of. */
export type Hear = (message: { body: string; at: number }) => void;

/** So much that nothing is cut off of what is measured. */
const filter = JSON.stringify({ room: { timeline: { limit: 100 } } });
/** A client waits so long before it tries again, in ms. */
const retryMs = 200;

/** Clients that do nothing but wait for news, as those do who have a client open. */
export class Listeners {
  /** Why syncs failed. */
  readonly failures: unknown[] = [];
  readonly #client: HttpClient;
  readonly #hear: Hear;
  readonly #running: Promise<void>[] = [];
  #isStopping = false;

  private constructor(address: string, count: number, hear: Hear) {
    this.#client = new HttpClient(address, count + 16);
    this.#hear = hear;
  }

  /** All of them listen when this resolves. */
  static async open(address: string, users: readonly User[], hear: Hear): Promise<Listeners> {
    const listeners = new Listeners(address, users.length, hear);
    const tokens: string[] = [];
    for (const user of users) tokens.push(await listeners.#sync(user, undefined, 0));
    users.forEach((user, index) => listeners.#running.push(listeners.#listen(user, tokens[index] ?? '')));
    return listeners;
  }

  /** A sync that fails is asked for again, as clients do. */
  async #listen(user: User, first: string): Promise<void> {
    for (let since = first; !this.#isStopping;) {
      try {
        since = await this.#sync(user, since, 30_000);
      } catch (error) {
        if (!this.#goesOn()) return;
        this.failures.push(error);
        await delay(retryMs);
      }
    }
  }

  /** A function, as the compiler does not see that another changes the field. */
  #goesOn(): boolean {
    return !this.#isStopping;
  }

  async #sync(user: User, since: string | undefined, timeoutMs: number): Promise<string> {
    const answer = await this.#client.expect('GET', '/_matrix/client/v3/sync', {
      token: user.token,
      query: { filter, timeout: String(timeoutMs), ...(since === undefined ? {} : { since }) },
    });
    if (since !== undefined) this.#tell(answer, performance.now());
    return text(answer['next_batch']);
  }

  #tell(answer: unknown, heardAt: number): void {
    for (const room of Object.values(at(answer, 'rooms', 'join') ?? {})) {
      for (const { content } of (at(room, 'timeline', 'events') ?? []) as Heard[]) {
        if (content.body !== undefined) this.#hear({ body: content.body, at: heardAt });
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#client.close();
    await Promise.all(this.#running);
    if (this.failures.length > 0)
      process.stderr.write(`${this.failures.length} syncs failed: ${String(this.failures[0])}\n`);
  }
}

/** Messages under way: what each of them says, when it was sent, and how long it took to each listener, in ms. */
export class Deliveries {
  readonly latencies: number[] = [];
  readonly #sent = new Map<string, { at: number; listeners: number }>();
  #settled: (() => void) | undefined;

  /** A message that so many listeners are to be told of. */
  sent(body: string, listeners: number): void {
    this.#sent.set(body, { at: performance.now(), listeners });
  }

  readonly heard: Hear = ({ body, at: heardAt }) => {
    const message = this.#sent.get(body);
    if (message === undefined) return;
    this.latencies.push(heardAt - message.at);
    message.listeners -= 1;
    if (message.listeners === 0) this.#sent.delete(body);
    if (this.#sent.size === 0) this.#settled?.();
  };

  /** Resolves when all have been told of everything. */
  async settled(): Promise<void> {
    if (this.#sent.size === 0) return;
    await new Promise<void>((resolve) => (this.#settled = resolve));
  }
}
