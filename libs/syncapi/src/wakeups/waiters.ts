import type { SyncPosition } from '../tokens.ts';
import type { Wakeup } from './wakeup.ts';

/** One long-poll that waits for news. */
export class Waiter {
  readonly userId: string;
  #rooms: readonly string[] = [];
  #news = false;
  #roomsMayHaveChanged = false;
  #checked: SyncPosition = { roomserver: 0, userapi: 0 };
  #wake: (() => void) | undefined;
  readonly #registry: Waiters;

  constructor(registry: Waiters, userId: string) {
    this.#registry = registry;
    this.userId = userId;
  }

  /** Also waits for what happens in these rooms from here on. */
  watch(rooms: readonly string[]): void {
    this.#registry.unwatch(this, this.#rooms);
    this.#rooms = rooms;
    this.#registry.watch(this, rooms);
  }

  /** Everything up to here has been looked at: wake-ups for it are no news. */
  checked(until: SyncPosition): void {
    this.#checked = until;
  }

  isBehind(position: SyncPosition): boolean {
    return position.roomserver > this.#checked.roomserver || position.userapi > this.#checked.userapi;
  }

  /** To be asked before looking: what is told from here on wakes again. */
  begin(): { roomsMayHaveChanged: boolean } {
    const roomsMayHaveChanged = this.#roomsMayHaveChanged;
    this.#news = false;
    this.#roomsMayHaveChanged = false;
    return { roomsMayHaveChanged };
  }

  tell(wakeup: Pick<Wakeup, 'log' | 'position'>, isOwn: boolean): void {
    if (wakeup.position <= (this.#checked[wakeup.log] ?? 0)) return;
    if (isOwn && wakeup.log === 'roomserver') this.#roomsMayHaveChanged = true;
    this.wake();
  }

  wake(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** Resolves when there is news, at once when there already is; after `ms` at the latest. */
  async wait(ms: number): Promise<'news' | 'time'> {
    if (this.#hasNews()) return 'news';
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#wake = undefined;
    return this.#hasNews() ? 'news' : 'time';
  }

  #hasNews(): boolean {
    return this.#news;
  }

  close(): void {
    this.watch([]);
    this.#registry.remove(this);
  }
}

/** All long-polls of a process, so that a wake-up costs work only for those whom it concerns. */
export class Waiters {
  readonly #byUser = new Map<string, Set<Waiter>>();
  readonly #byRoom = new Map<string, Set<Waiter>>();

  /** Long-polls that are open. */
  get count(): number {
    let count = 0;
    for (const waiters of this.#byUser.values()) count += waiters.size;
    return count;
  }

  open(userId: string): Waiter {
    const waiter = new Waiter(this, userId);
    add(this.#byUser, userId, waiter);
    return waiter;
  }

  remove(waiter: Waiter): void {
    remove(this.#byUser, waiter.userId, waiter);
  }

  watch(waiter: Waiter, rooms: readonly string[]): void {
    for (const room of rooms) add(this.#byRoom, room, waiter);
  }

  unwatch(waiter: Waiter, rooms: readonly string[]): void {
    for (const room of rooms) remove(this.#byRoom, room, waiter);
  }

  tell(wakeup: Wakeup): void {
    for (const user of wakeup.users) {
      for (const waiter of this.#byUser.get(user) ?? []) waiter.tell(wakeup, true);
    }
    for (const room of wakeup.rooms) {
      for (const waiter of this.#byRoom.get(room) ?? []) waiter.tell(wakeup, false);
    }
  }

  wakeAll(): void {
    for (const waiters of this.#byUser.values()) for (const waiter of waiters) waiter.wake();
  }
}

function add(index: Map<string, Set<Waiter>>, key: string, waiter: Waiter): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Set([waiter]));
  else known.add(waiter);
}

function remove(index: Map<string, Set<Waiter>>, key: string, waiter: Waiter): void {
  const known = index.get(key);
  known?.delete(waiter);
  if (known?.size === 0) index.delete(key);
}
