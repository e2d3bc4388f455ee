export interface PacerLimits {
  least: number;
  most: number;
  /** How long one batch should take, in ms. */
  targetMs: number;
  longestPauseMs: number;
}

/** What deleting is paced by: batches of some 50 ms leave others room in between. */
export const deletionLimits: PacerLimits = { least: 1000, most: 8000, targetMs: 50, longestPauseMs: 500 };

/** A batch counts as slowed down by others when a row costs so many times what it costs at best. */
const slowed = 2;

/**
 * Chooses the size of the next batch and the pause before it from how long the last one took. While the
 * database is quiet, batches grow up to the target; when the cost of a row rises, somebody else needs the
 * database: batches shrink, and the pauses grow with the delay.
 */
export class Pacer {
  readonly #limits: PacerLimits;
  #best = Infinity;
  #size: number;

  constructor(limits: PacerLimits = deletionLimits) {
    this.#limits = limits;
    this.#size = limits.least;
  }

  /** Rows that the next batch should have. */
  get size(): number {
    return this.#size;
  }

  /** Tells what a batch cost; answers how long to wait before the next one, in ms. */
  done(rows: number, elapsedMs: number): number {
    const { least, most, targetMs, longestPauseMs } = this.#limits;
    const each = elapsedMs / Math.max(rows, least / 10);
    this.#best = Math.min(this.#best, each);
    const ratio = each / this.#best;
    const fitting = ratio > slowed ? this.#size / 2 : (this.#size * targetMs) / Math.max(elapsedMs, 1);
    this.#size = Math.round(Math.min(most, Math.max(least, Math.min(fitting, this.#size * 2))));
    const share = ratio > slowed ? ratio : 0.25;
    return Math.min(longestPauseMs, elapsedMs * share);
  }
}
