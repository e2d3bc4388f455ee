import { randomInt } from 'node:crypto';

import type { JsonObject } from '@seneschal/matrix';

import type { Waiter, Waiters } from '../wakeups/waiters.ts';
import { type BuiltSync, buildSync } from './build-sync.ts';
import type { Gate } from './gate.ts';
import type { Positions } from './positions.ts';
import type { SyncQuery, SyncReads } from './sync-query.ts';

export interface LongPollDeps {
  reads: SyncReads;
  waiters: Waiters;
  positions: Positions;
  gate: Gate;
  isStopping: () => boolean;
}

export interface LongPoll extends Omit<SyncQuery, 'until'> {
  timeoutMs: number;
  signal: AbortSignal;
}

/** A wake-up that was lost is made up for after so long, in ms. */
const healing = { least: 3000, most: 5000 };
/** Looking whether anything happened at all may be this late, in ms, on top. */
const staleMs = 500;

/** Answers at once when there is something to tell, or when a first sync asks; else as soon as there is. */
export async function longPoll(deps: LongPollDeps, poll: LongPoll): Promise<JsonObject> {
  const deadline = Date.now() + poll.timeoutMs;
  const first = await build(deps, poll);
  const isAtOnce = poll.since === null || poll.fullState || poll.timeoutMs <= 0;
  if (isAtOnce || !first.isEmpty) return first.body;
  const waiter = deps.waiters.open(poll.userId);
  const wake = (): void => waiter.wake();
  poll.signal.addEventListener('abort', wake);
  try {
    return await follow(deps, poll, waiter, deadline);
  } finally {
    poll.signal.removeEventListener('abort', wake);
    waiter.close();
  }
}

async function follow(
  deps: LongPollDeps,
  poll: LongPoll,
  waiter: Waiter,
  deadline: number,
): Promise<JsonObject> {
  waiter.watch(await deps.reads.roomserver.joinedRooms(poll.userId));
  for (;;) {
    const { roomsMayHaveChanged } = waiter.begin();
    if (roomsMayHaveChanged) waiter.watch(await deps.reads.roomserver.joinedRooms(poll.userId));
    const built = await build(deps, poll, waiter);
    const isOver = poll.signal.aborted || deps.isStopping() || Date.now() >= deadline;
    if (!built.isEmpty || isOver) return built.body;
    await news(deps, waiter, deadline);
  }
}

/** Waits for a wake-up, for the deadline, or until the logs have grown without a wake-up for this waiter. */
async function news(deps: LongPollDeps, waiter: Waiter, deadline: number): Promise<void> {
  for (;;) {
    const left = deadline - Date.now();
    if (left <= 0) return;
    if ((await waiter.wait(Math.min(left, randomInt(healing.least, healing.most)))) === 'news') return;
    const position = await deps.positions.recent(staleMs);
    if (waiter.isBehind(position)) return;
  }
}

async function build(deps: LongPollDeps, poll: LongPoll, waiter?: Waiter): Promise<BuiltSync> {
  const until = await deps.positions.now();
  const built = await deps.gate.run(() => buildSync(deps.reads, { ...poll, until }));
  waiter?.checked(until);
  return built;
}
