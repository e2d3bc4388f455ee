import { setTimeout as wait } from 'node:timers/promises';

import { CliError, exitCodes, Refused } from './exit-codes.ts';

export interface CallOptions {
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** Sent without the token. */
  isOpen?: boolean;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed body where it is JSON, else its text. */
  body: unknown;
}

/** So often a call is made that comes too soon, if it has to wait no longer than this each time. */
const attempts = 5;
const longestPauseMs = 60_000;

/** Calls one server with one token. */
export class Client {
  readonly server: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  constructor(server: string, token: string | undefined, timeoutMs: number) {
    this.server = server;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The answer to a call. Waits when the server asks for that, as it does when thousands of calls come at once.
   * Throws Refused, or CliError when the server cannot be reached.
   */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#callOnce(method, path, options);
      } catch (error) {
        const pause = error instanceof Refused && error.status === 429 ? error.retryAfterMs : undefined;
        if (pause === undefined || pause > longestPauseMs || attempt >= attempts) throw error;
        await wait(pause);
      }
    }
  }

  async #callOnce(method: string, path: string, options: CallOptions): Promise<Answer> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    const response = await this.open(method, path, { ...options, signal });
    const text = await response.text().catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    return { status: response.status, headers: response.headers, body: parse(text) };
  }

  /** An answer whose body is still to be read. Throws as `call` does. */
  async open(method: string, path: string, options: CallOptions): Promise<Response> {
    const { query = {}, body, headers = {}, signal, isOpen = false } = options;
    const search = new URLSearchParams(query).toString();
    const response = await fetch(`${this.server}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      redirect: 'error',
      headers: {
        ...(this.#token === undefined || isOpen ? {} : { Authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    if (response.status < 400) return response;
    throw await this.#refusal(response);
  }

  async #refusal(response: Response): Promise<CliError> {
    const body = parse(await response.text().catch(() => ''));
    if (typeof body === 'object' && body !== null && ('errcode' in body || 'warnings' in body)) {
      return new Refused(response.status, body);
    }
    // Not from Seneschal: most often a proxy in front of it.
    const code = response.status >= 500 ? exitCodes.unreachable : exitCodes.refused;
    return new CliError(
      code,
      `${this.server} answered ${response.status}, and not as a Matrix server does. Is the address right?`,
    );
  }

  #unreachable(error: unknown): CliError {
    const { name, cause, message } = error as Error;
    if (name === 'AbortError') return new CliError(exitCodes.interrupted, 'Interrupted.', { cause: error });
    const reason =
      name === 'TimeoutError'
        ? `it did not answer within ${this.#timeoutMs / 1000} s; --timeout gives it longer`
        : ((cause as NodeJS.ErrnoException | undefined)?.code ??
          (cause as Error | undefined)?.message ??
          message);
    return new CliError(
      exitCodes.unreachable,
      `${this.server} cannot be reached: ${reason}.\nIs it the address of the admin API? See --server.`,
      { cause: error },
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** `/a/{roomId}` with the values put in, escaped. */
export function fillPath(path: string, values: readonly string[]): string {
  let at = 0;
  return path.replace(/\{\w+\}/g, () => encodeURIComponent(values[at++] ?? ''));
}
