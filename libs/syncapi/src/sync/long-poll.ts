import { randomInt } from 'node:crypto';

import type { SyncPosition } from '../tokens.ts';
import type { Waiter, Waiters } from '../wakeups/waiters.ts';
import type { Gate } from './gate.ts';
import type { Positions } from './positions.ts';
import type { SyncReads } from './sync-query.ts';

export interface LongPollDeps {
  reads: { roomserver: Pick<SyncReads['roomserver'], 'joinedRooms'> };
  waiters: Waiters;
  positions: Positions;
  gate: Gate;
  isStopping: () => boolean;
}

export interface LongPoll<Built extends { isEmpty: boolean }> {
  userId: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Whether to answer although there is nothing to tell. */
  isAtOnce: boolean;
  /** Makes the answer of everything up to a position. */
  build(until: SyncPosition): Promise<Built>;
}

/** A wake-up that was lost is made up for after so long, in ms. */
const healing = { least: 3000, most: 5000 };
/** Looking whether anything happened at all may be this late, in ms, on top. */
const staleMs = 500;

/** Answers at once when there is something to tell, or when a first sync asks; else as soon as there is. */
export async function longPoll<Built extends { isEmpty: boolean }>(
  deps: LongPollDeps,
  poll: LongPoll<Built>,
): Promise<Built> {
  const deadline = Date.now() + poll.timeoutMs;
  const first = await build(deps, poll);
  if (poll.isAtOnce || poll.timeoutMs <= 0 || !first.isEmpty) return first;
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

async function follow<Built extends { isEmpty: boolean }>(
  deps: LongPollDeps,
  poll: LongPoll<Built>,
  waiter: Waiter,
  deadline: number,
): Promise<Built> {
  waiter.watch(await deps.reads.roomserver.joinedRooms(poll.userId));
  for (;;) {
    const { roomsMayHaveChanged } = waiter.begin();
    if (roomsMayHaveChanged) waiter.watch(await deps.reads.roomserver.joinedRooms(poll.userId));
    const built = await build(deps, poll, waiter);
    const isOver = poll.signal.aborted || deps.isStopping() || Date.now() >= deadline;
    if (!built.isEmpty || isOver) return built;
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

async function build<Built extends { isEmpty: boolean }>(
  deps: LongPollDeps,
  poll: LongPoll<Built>,
  waiter?: Waiter,
): Promise<Built> {
  const until = await deps.positions.now();
  const built = await deps.gate.run(() => poll.build(until));
  waiter?.checked(until);
  return built;
}
