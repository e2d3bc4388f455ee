import { AddressRefused, NetworkGuard } from '@seneschal/network';
import { software, type Stoppable } from '@seneschal/observability';
import { Agent, request } from 'undici';

import type { Delivery } from './deliveries.ts';
import { signatureOf } from './sign.ts';

export interface SenderOptions {
  secret: string;
  /** Networks that are exempt from the rule on private addresses. */
  allowedNetworks: readonly string[];
  timeoutMs?: number;
}

/** How an attempt ended; `error` says why it failed, and names no path. */
export type Outcome = { ok: true; status: number } | { ok: false; status: number | null; error: string };

const usualTimeoutMs = 10_000;
const connectTimeoutMs = 5000;
const mostRedirects = 3;

/** Sends to one receiver, over connections of its own: signed, bounded in time, and never to a refused address. */
export class Sender implements Stoppable {
  readonly #options: SenderOptions;
  readonly #guard: NetworkGuard;
  readonly #agent: Agent;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#guard = new NetworkGuard(options.allowedNetworks);
    const connect = { lookup: this.#guard.lookup, timeout: connectTimeoutMs };
    this.#agent = new Agent({ connect, connections: 4, pipelining: 1 });
  }

  async send(url: string, delivery: Delivery): Promise<Outcome> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? usualTimeoutMs);
    try {
      return await this.#follow(new URL(url), delivery, signal);
    } catch (error) {
      return { ok: false, status: null, error: reasonOf(error, signal.aborted) };
    }
  }

  /** Only redirects that keep the method are followed, and none that gives up TLS. */
  async #follow(url: URL, delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const { status, location } = await this.#post(url, delivery, signal);
      if (status >= 200 && status < 300) return { ok: true, status };
      if (status !== 307 && status !== 308) return { ok: false, status, error: `It answered ${status}.` };
      if (location === undefined || !URL.canParse(location, url.href)) {
        return { ok: false, status, error: 'It redirects to nowhere.' };
      }
      const next = new URL(location, url);
      if (next.protocol !== 'https:' && next.protocol !== url.protocol) {
        return { ok: false, status, error: 'It redirects to an address without TLS.' };
      }
      url = next;
    }
    return { ok: false, status: null, error: 'It redirects too often.' };
  }

  async #post(
    url: URL,
    { delivery_id: id, type, body }: Delivery,
    signal: AbortSignal,
  ): Promise<{ status: number; location: string | undefined }> {
    this.#guard.checkHost(url.hostname);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const answer = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `${software.name}/${software.version}`,
        'seneschal-delivery': id,
        'seneschal-event': type,
        'seneschal-timestamp': timestamp,
        'seneschal-signature': signatureOf(this.#options.secret, timestamp, body),
      },
      body,
      dispatcher: this.#agent,
      signal,
    });
    // What a receiver says is not read: the status is the answer.
    answer.body.on('error', () => undefined).destroy();
    const { location } = answer.headers;
    return { status: answer.statusCode, location: typeof location === 'string' ? location : undefined };
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Messages of the network quote addresses; codes do not. */
function reasonOf(error: unknown, timedOut: boolean): string {
  if (timedOut) return 'It did not answer in time.';
  if (error instanceof AddressRefused) return 'It is at an address of a private network.';
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no reason';
  return `It cannot be reached (${code}).`;
}
