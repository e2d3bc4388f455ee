import type { Redis } from 'ioredis';

import type { Logger } from '@seneschal/observability';

import { publishWakeup, type WakeupBus } from '../wakeups/publish.ts';

export interface TypingDeps {
  bus: WakeupBus;
  /** Tells other servers that a local user types, or has stopped; now and then again while it goes on. */
  tell?: (roomId: string, userId: string, isTyping: boolean) => Promise<void>;
  logger: Pick<Logger, 'warn'>;
}

/**
 * Who is typing where. It is in Redis alone, as nothing of it is worth keeping: what Redis loses is typed again.
 * Positions are the time of Redis in microseconds.
 */
export class Typing {
  readonly #bus: WakeupBus;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #telling = new Set<Promise<void>>();
  readonly #tell: TypingDeps['tell'];

  constructor({ bus, logger, tell }: TypingDeps) {
    this.#tell = tell;
    this.#bus = bus;
    this.#logger = logger;
  }

  /** Begins, goes on or, with a timeout of 0 ms, stops; throws when Redis is away. */
  async set(roomId: string, userId: string, timeoutMs: number): Promise<void> {
    const told = this.#key(`told:${roomId}:${userId}`);
    const keys = [this.#key('rooms'), this.#key('ends'), this.#roomKey(roomId), told];
    const args = [roomId, userId, String(timeoutMs)];
    const answer = (await this.#redis.eval(script, keys.length, ...keys, ...args)) as [
      string,
      number,
      number,
    ];
    if (answer[1] === 1) await this.#wake(roomId, Number(answer[0]));
    if (answer[2] === 1) this.#tellOthers(roomId, userId, timeoutMs > 0);
    this.#wakeLater(roomId, userId, timeoutMs);
  }

  /** Of the last change that there was by now; 0 when none is remembered, and while Redis is away. */
  async position(): Promise<number> {
    const keys = [this.#key('rooms'), this.#key('ends')];
    return Number(await this.#ask(() => this.#redis.eval(lastChange, keys.length, ...keys), 0));
  }

  /** Rooms in which somebody began or stopped in (from, to]; from null, rooms in which anybody is typing. */
  async changedRooms(from: number | null, to: number): Promise<string[]> {
    const ends = this.#key('ends');
    const changed =
      from === null
        ? [await this.#range(ends, `(${to}`, '+inf')]
        : await Promise.all([
            this.#range(this.#key('rooms'), `(${from}`, to),
            this.#range(ends, `(${from}`, to),
          ]);
    return [...new Set(changed.flat().map((member) => member.split('\0')[0] ?? ''))];
  }

  /** Who is typing at a position, by room. */
  async typists(roomIds: readonly string[], at: number): Promise<Map<string, string[]>> {
    const found = await Promise.all(
      roomIds.map((roomId) => this.#range(this.#roomKey(roomId), `(${at}`, '+inf')),
    );
    return new Map(roomIds.map((roomId, index) => [roomId, (found[index] ?? []).sort()]));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#telling);
  }

  /** Nobody waits for that, and nobody misses it. */
  #tellOthers(roomId: string, userId: string, isTyping: boolean): void {
    const told = this.#tell?.(roomId, userId, isTyping).catch((error: unknown) => {
      this.#logger.warn({ error }, 'other servers were not told who types');
    });
    if (told === undefined) return;
    this.#telling.add(told);
    void told.then(() => this.#telling.delete(told));
  }

  /** When the time is up, unless the user went on by way of another process. */
  async #tellOfEnd(roomId: string, userId: string): Promise<void> {
    if (this.#tell === undefined) return;
    const typists = await this.typists([roomId], Date.now() * 1000);
    if (typists.get(roomId)?.includes(userId) !== true) this.#tellOthers(roomId, userId, false);
  }

  get #redis(): Redis {
    return this.#bus.redis;
  }

  #key(name: string): string {
    return `${this.#bus.prefix}:typing:${name}`;
  }

  #roomKey(roomId: string): string {
    return this.#key(`room:${roomId}`);
  }

  /** No sync fails, or waits for long, because nobody knows who is typing. */
  async #range(key: string, from: string, to: string | number): Promise<string[]> {
    return this.#ask(() => this.#redis.zrangebyscore(key, from, to), []);
  }

  async #ask<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.#redis.status !== 'ready') return otherwise;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<T>((resolve) => {
      timer = setTimeout(() => resolve(otherwise), patienceMs);
    });
    const answer = ask().catch(() => otherwise);
    return Promise.race([answer, patience]).finally(() => clearTimeout(timer));
  }

  async #wake(roomId: string, position: number): Promise<void> {
    await publishWakeup(this.#bus, { log: 'typing', position, rooms: [roomId], users: [] });
  }

  /** Tells others when the time is up; where this process is gone by then, their next sync says so. */
  #wakeLater(roomId: string, userId: string, timeoutMs: number): void {
    const key = `${roomId}\0${userId}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    if (timeoutMs === 0) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#wake(roomId, Number.MAX_SAFE_INTEGER).catch((error: unknown) => {
        this.#logger.warn({ error }, 'nobody was told that a user stopped typing');
      });
      void this.#tellOfEnd(roomId, userId);
    }, timeoutMs + 2);
    timer.unref();
    this.#timers.set(key, timer);
  }
}

/** What a sync waits for Redis at the most, in ms. */
const patienceMs = 500;

/** Longer than anybody types in one go, and than a client waits with its next sync, in microseconds. */
const kept = 600_000_000;

const lastChange = `
  local time = redis.call('TIME')
  local now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
  local begun = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  local ended = redis.call('ZREVRANGEBYSCORE', KEYS[2], now, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local last = math.max(tonumber(begun[2] or 0), tonumber(ended[2] or 0))
  return string.format('%.0f', last)
`;

/** How often other servers are told that a user types still, in ms: they forget it by themselves. */
const tellAgainMs = 25_000;

/** Answers the position, 1 when the user began or stopped, and 1 when other servers are to be told. */
const script = `
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local text = string.format('%.0f', now)
  local rooms, ends, room = KEYS[1], KEYS[2], KEYS[3]
  local member = ARGV[1] .. '\\0' .. ARGV[2]
  local before = redis.call('ZSCORE', room, ARGV[2])
  local wasTyping = before and tonumber(before) > now
  local timeout = tonumber(ARGV[3])
  local changed = (timeout > 0) ~= (wasTyping and true or false)
  if timeout > 0 then
    local stop = string.format('%.0f', now + timeout * 1000)
    redis.call('ZADD', room, stop, ARGV[2])
    redis.call('ZADD', ends, stop, member)
    redis.call('PEXPIRE', room, timeout + 600000)
  else
    redis.call('ZREM', room, ARGV[2])
    redis.call('ZREM', ends, member)
  end
  local isNews = changed
  if timeout > 0 then
    local isAgain = redis.call('SET', KEYS[4], '1', 'PX', ${tellAgainMs}, 'NX')
    isNews = changed or (isAgain and true or false)
  else
    redis.call('DEL', KEYS[4])
  end
  if changed then redis.call('ZADD', rooms, text, ARGV[1]) end
  local old = string.format('%.0f', now - ${kept})
  redis.call('ZREMRANGEBYSCORE', rooms, '-inf', old)
  redis.call('ZREMRANGEBYSCORE', ends, '-inf', old)
  redis.call('PEXPIRE', rooms, 1200000)
  redis.call('PEXPIRE', ends, 1200000)
  return { text, changed and 1 or 0, isNews and 1 or 0 }
`;
