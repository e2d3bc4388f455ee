/** Numbers that look like chance and are the same in each run. */
export class Dice {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed * 7919 + 1;
  }

  /** At least 0, less than 1. */
  throw(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }

  /** Whether what happens so often, from 0 to 1, happens this time. */
  happens(share: number): boolean {
    return this.throw() < share;
  }

  one<T>(of: readonly T[]): T {
    const found = of[Math.floor(this.throw() * of.length)];
    if (found === undefined) throw new Error('There is nothing to choose from.');
    return found;
  }
}
