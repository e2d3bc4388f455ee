import { own } from '../json-types.ts';
import type { AuthNode } from './auth-graph.ts';

/** Milliseconds since 1970; 0 for an event that says none, so that there is an order in any case. */
export function timeOf({ pdu }: AuthNode): number {
  return numberIn(pdu, 'origin_server_ts');
}

export function numberIn(object: object, key: string): number {
  const value = own(object, key);
  return typeof value === 'number' && !Number.isNaN(value) ? value : 0;
}

/** Also where both are infinite, whose difference is no number. */
export function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A binary heap: the smallest of its items first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above] as T;
      if (this.#compare(parent, item) <= 0) break;
      items[index] = parent;
      index = above;
    }
    items[index] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: T): void {
    const items = this.#items;
    let index = 0;
    for (let below = 1; below < items.length; below = 2 * index + 1) {
      const right = below + 1;
      if (right < items.length && this.#compare(items[right] as T, items[below] as T) < 0) below = right;
      const smaller = items[below] as T;
      if (this.#compare(item, smaller) <= 0) break;
      items[index] = smaller;
      index = below;
    }
    items[index] = item;
  }
}
