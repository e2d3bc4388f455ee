import type { Logger, Stoppable } from '@seneschal/observability';

import { dropOverdueEdus } from '../storage/overdue-edus.ts';
import type { FederationDb } from '../storage/tables.ts';

export interface EduTrimDeps {
  db: FederationDb;
  logger: Pick<Logger, 'warn'>;
  /** Counts what is dropped. */
  dropped: (count: number) => void;
  /** How long messages to devices wait for a server that does not answer, in ms, and how many of them. */
  keepMs: number;
  most: number;
  /** How often is looked, in ms. */
  everyMs?: number;
}

const usualMs = 600_000;

/** Bounds what is kept for servers that may be gone for good; all processes do, one at a time. */
export class EduTrim implements Stoppable {
  readonly #deps: EduTrimDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(deps: EduTrimDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.run(), deps.everyMs ?? usualMs);
    this.#timer.unref();
  }

  run(): Promise<void> {
    this.#running ??= this.#trim().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #trim(): Promise<void> {
    const { db, logger, dropped, keepMs, most } = this.#deps;
    const total = new Map<string, number>();
    try {
      for (let isAny = true; isAny && !this.#isStopped;) {
        const counts = await dropOverdueEdus(db, { before: Date.now() - keepMs, most });
        for (const [server, count] of counts) total.set(server, (total.get(server) ?? 0) + count);
        isAny = counts.size > 0;
      }
    } catch (error) {
      logger.warn({ error }, 'messages to devices of servers that do not answer could not be dropped');
    }
    for (const [serverName, count] of total) {
      logger.warn({ serverName, count }, 'messages to devices of a server that does not answer are dropped');
      dropped(count);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
