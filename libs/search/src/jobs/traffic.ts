import { setTimeout as delay } from 'node:timers/promises';

import type { RoomserverForSearch } from '@seneschal/contracts';

/** The log is in use for so long after it was last seen to grow. */
const quietAfterMs = 2000;
/** While the log is in use, batches are so many times smaller, and the pause after one is so many times its time. */
const share = 4;
const pauses = 4;
const longestPauseMs = 5000;

/**
 * Whether events are being sent. A reindex has the whole machine while nobody needs it, and takes a fifth of
 * the time while somebody does, so that it is not noticed by those who send.
 */
export class Traffic {
  readonly #roomserver: Pick<RoomserverForSearch, 'position'>;
  #position: number | undefined;
  #movedAt = -Infinity;

  constructor(roomserver: Pick<RoomserverForSearch, 'position'>) {
    this.#roomserver = roomserver;
  }

  /** Documents that a batch should have, of an engine that is best at `size` of them. */
  batchSize(size: number): number {
    return this.#isThere() ? Math.ceil(size / share) : size;
  }

  /** Looks at the log after a batch that took so long, and waits when it is in use. Rejects when it is aborted. */
  async giveWay(elapsedMs: number, signal: AbortSignal): Promise<void> {
    const position = await this.#roomserver.position();
    if (this.#position !== undefined && position > this.#position) this.#movedAt = performance.now();
    this.#position = position;
    if (this.#isThere()) await delay(Math.min(longestPauseMs, elapsedMs * pauses), undefined, { signal });
  }

  #isThere(): boolean {
    return performance.now() - this.#movedAt < quietAfterMs;
  }
}
