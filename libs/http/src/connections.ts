import { userapi } from '@seneschal/contracts';
import type { Command } from '@seneschal/contracts';
import type { Logger, Stoppable } from '@seneschal/observability';

interface Seen {
  userId: string;
  deviceId: string;
  ip: string;
  userAgent: string;
}

interface Caller {
  call<Input, Output>(command: Command<Input, Output>, input: Input): Promise<Output>;
}

/** A gateway remembers this many connections between two reports; beyond it the rest waits for the next. */
const maximumPending = 10_000;
const longestUserAgent = 512;

/**
 * Remembers who was seen from where and reports it every few seconds: whois knows every connection,
 * and no request costs a write.
 */
export class ConnectionRecorder implements Stoppable {
  readonly #pending = new Map<string, Seen & { lastSeen: number }>();
  readonly #uses = new Map<string, number>();
  readonly #bus: Caller;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Caller, logger: Logger, intervalMs = 5000) {
    this.#bus = bus;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.flush(), intervalMs);
  }

  seen(connection: Seen): void {
    const key = `${connection.userId}\0${connection.deviceId}\0${connection.ip}\0${connection.userAgent}`;
    const known = this.#pending.get(key);
    if (known !== undefined) {
      known.lastSeen = Date.now();
    } else if (this.#pending.size < maximumPending) {
      const userAgent = connection.userAgent.slice(0, longestUserAgent);
      this.#pending.set(key, { ...connection, userAgent, lastSeen: Date.now() });
    }
  }

  /** A session uses its new token: the old one is worth nothing from here on. Told once, and before the answer. */
  async renewed(tokenHash: string): Promise<void> {
    await this.#bus.call(userapi.confirmTokens, { tokenHash });
  }

  /** The token of a machine was used. */
  used(tokenId: string): void {
    this.#uses.set(tokenId, Date.now());
  }

  async #flushUses(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = [...this.#uses].map(([id, ts]) => ({ id, ts }));
    this.#uses.clear();
    await this.#bus.call(userapi.recordAdminTokenUse, { uses }).catch((error: unknown) => {
      for (const { id, ts } of uses) if (!this.#uses.has(id)) this.#uses.set(id, ts);
      this.#logger.warn({ error }, 'the use of admin tokens could not be recorded');
    });
  }

  /** Reports what was seen since the last time. What cannot be reported is tried again. */
  async flush(): Promise<void> {
    await this.#flushUses();
    if (this.#pending.size === 0) return;
    const entries = [...this.#pending.entries()];
    this.#pending.clear();
    try {
      await this.#bus.call(userapi.recordConnections, { connections: entries.map(([, value]) => value) });
    } catch (error) {
      for (const [key, value] of entries) if (!this.#pending.has(key)) this.#pending.set(key, value);
      this.#logger.warn({ error }, 'connections could not be recorded');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}
