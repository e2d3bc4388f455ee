import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

import type { EventLog } from '@seneschal/contracts';
import { activeSpan, type Stoppable } from '@seneschal/observability';

import { wakeQueue } from './consumer.ts';

interface ConsumerWaker {
  queue: Queue;
  sending: boolean;
  next: number;
  /** The span of the first of the wake-ups that wait. */
  traceParent: string | undefined;
}

/** Wakes the consumers of a log after a commit. Wake-ups that come while one is on its way are merged. */
export class Waker implements Stoppable {
  readonly #connection: Redis;
  readonly #prefix: string;
  readonly #wakers = new Map<string, ConsumerWaker>();

  constructor(connection: Redis, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** @param position the position that the consumers should at least have read */
  wake(log: EventLog<unknown>, position: number): void {
    for (const consumer of log.consumers) void this.#wake(consumer, position);
  }

  async #wake(consumer: string, position: number): Promise<void> {
    const waker = this.#wakerOf(consumer);
    waker.next = Math.max(waker.next, position);
    waker.traceParent ??= activeSpan()?.traceParent;
    if (waker.sending) return;
    waker.sending = true;
    try {
      for (let sent = 0; waker.next > sent;) {
        sent = waker.next;
        const { traceParent } = waker;
        waker.traceParent = undefined;
        await waker.queue.add('wake', { position: sent, ...(traceParent && { traceParent }) });
      }
    } catch {
      // Redis is away: the consumer's poll finds the log's new end without being woken.
    } finally {
      waker.sending = false;
    }
  }

  #wakerOf(consumer: string): ConsumerWaker {
    const known = this.#wakers.get(consumer);
    if (known !== undefined) return known;
    const queue = new Queue(wakeQueue(consumer), {
      connection: this.#connection,
      prefix: this.#prefix,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    queue.on('error', () => undefined);
    const waker = { queue, sending: false, next: 0, traceParent: undefined };
    this.#wakers.set(consumer, waker);
    return waker;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#wakers.values()].map(({ queue }) => queue.close()));
  }
}
