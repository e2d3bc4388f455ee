import type { Logger, Stoppable } from '@seneschal/observability';

import { noteLags } from '../storage/lag.ts';
import type { FederationDb } from '../storage/tables.ts';

export interface LagWatchDeps {
  db: FederationDb;
  logger: Pick<Logger, 'warn' | 'info'>;
  /** How long an event may wait for a server, in ms. */
  afterMs: number;
}

const mostMs = 15_000;
const leastMs = 250;

/** Looks for servers that are behind, and that have caught up; all processes do, one at a time. */
export class LagWatch implements Stoppable {
  readonly #deps: LagWatchDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(deps: LagWatchDeps) {
    this.#deps = deps;
    const everyMs = Math.min(Math.max(deps.afterMs / 4, leastMs), mostMs);
    this.#timer = setInterval(() => void this.run(), everyMs);
    this.#timer.unref();
  }

  run(): Promise<void> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<void> {
    const { db, logger, afterMs } = this.#deps;
    try {
      for (const { kind, ...fact } of await noteLags(db, { now: Date.now(), afterMs })) {
        if (kind === 'destination_lagging') logger.warn(fact, 'a server is behind');
        else logger.info(fact, 'a server has caught up');
      }
    } catch (error) {
      logger.warn({ error }, 'servers that are behind could not be looked for');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
