import type { Queue } from 'bullmq';

/** What stands in the queue of one component. */
export interface Backlog {
  component: string;
  waiting: number;
  active: number;
  /** How long the oldest of the waiting has waited, in ms. */
  oldestMs: number;
}

/** Reads the state of a queue. Throws while Redis is away. */
export async function backlogOf(queue: Queue, now: number): Promise<Backlog> {
  const [counts, [oldest]] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active'),
    queue.getJobs(['waiting'], 0, 0, true),
  ]);
  return {
    component: queue.name,
    waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
    active: counts['active'] ?? 0,
    oldestMs: oldest === undefined ? 0 : Math.max(now - oldest.timestamp, 0),
  };
}
