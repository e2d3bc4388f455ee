import { Pacer } from './pacer.ts';

/** One pacer for each deletion that runs in this process. */
export class Pacers {
  readonly #pacers = new Map<string, Pacer>();

  of(jobId: string): Pacer {
    const known = this.#pacers.get(jobId) ?? new Pacer();
    this.#pacers.set(jobId, known);
    return known;
  }

  end(jobId: string): void {
    this.#pacers.delete(jobId);
  }
}
