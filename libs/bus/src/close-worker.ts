import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';

/**
 * Closes a worker, after the jobs that it has begun. BullMQ's own close waits for Redis, however long it is
 * away: without it the worker lets go at once, and only its jobs are waited for.
 * @param running settles when the jobs under way have ended
 */
export async function closeWorker(
  worker: Worker,
  connection: Redis,
  running: () => Promise<unknown>,
): Promise<void> {
  if (connection.status !== 'ready') {
    await worker.close(true);
    await running();
    return;
  }
  let lose = (): void => undefined;
  const lost = new Promise<'lost'>((resolve) => {
    lose = () => resolve('lost');
  });
  connection.once('close', lose);
  try {
    if ((await Promise.race([worker.close(), lost])) !== 'lost') return;
    // Only its own connection: the other one is shared.
    worker
      .getBackend()
      .close(true)
      .catch(() => undefined);
    await running();
  } finally {
    connection.off('close', lose);
  }
}
