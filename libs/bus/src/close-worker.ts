import { setTimeout as delay } from 'node:timers/promises';

import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';

/** What BullMQ gets to write down the ends of the last jobs. */
const graceMs = 2000;

/**
 * Closes a worker, after the jobs that it has begun. BullMQ's own waiting for them lasts as long as Redis is
 * away, and may never end when one of a worker's two connections is back and the other is not: it is waited
 * for no longer than the jobs and a moment. Jobs whose end could not be written down are delivered again.
 * @param running settles when the jobs under way have ended
 */
export async function closeWorker(
  worker: Worker,
  connection: Redis,
  running: () => Promise<unknown>,
): Promise<void> {
  endRests(worker);
  const given = new AbortController();
  const { signal } = given;
  const lost = new Promise<void>((resolve) => {
    if (connection.status !== 'ready') resolve();
    connection.once('close', resolve);
    signal.addEventListener('abort', () => connection.off('close', resolve));
  });
  const ended = running();
  const late = ended.then(() => delay(graceMs, undefined, { signal }));
  late.catch(() => undefined);
  await Promise.race([worker.pause().catch(() => undefined), lost, late]);
  given.abort();
  await worker.close(true);
  await ended;
}

/** Its wait for jobs being broken off, a worker rests for 100 ms before it sees that it is to end: so long for each. */
function endRests(worker: Worker): void {
  const rest = worker.delay.bind(worker);
  worker.delay = (ms, controller) => (ms === undefined ? Promise.resolve() : rest(ms, controller));
}
