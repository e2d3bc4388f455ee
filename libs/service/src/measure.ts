import { eventLogs } from '@seneschal/contracts';
import { jobCounts } from '@seneschal/jobs';

import type { Platform } from './platform.ts';

/** What is measured when it is asked for. All processes tell the same of queues, logs and jobs. */
export function measure({
  metrics,
  database,
  bus,
  webhooks,
}: Pick<Platform, 'metrics' | 'database' | 'bus' | 'webhooks'>): void {
  metrics.gauge('seneschal_database_connections', 'Connections to PostgreSQL', ['state'], () => {
    const { open, idle } = database.pool();
    return [
      { labels: { state: 'idle' }, value: idle },
      { labels: { state: 'busy' }, value: open - idle },
    ];
  });
  metrics.gauge('seneschal_database_waiting', 'Queries that wait for a connection', [], () => [
    { value: database.pool().waiting },
  ]);
  measureQueues(metrics, bus);
  measureLogs(metrics, bus);
  metrics.gauge('seneschal_webhook_deliveries', 'Webhooks by state', ['state'], async () => {
    const sums = { queued: 0, delivered: 0, failed: 0 };
    for (const { state, count } of await webhooks.counts()) sums[state] += count;
    return Object.entries(sums).map(([state, value]) => ({ labels: { state }, value }));
  });
  metrics.gauge('seneschal_jobs', 'Jobs by kind and state', ['kind', 'state'], async () => {
    const counts = await jobCounts(database.tables());
    return counts.map(({ kind, state, count }) => ({ labels: { kind, state }, value: count }));
  });
  metrics.gauge('seneschal_jobs_due_seconds', 'How long a queued job is due', ['kind'], async () => {
    const counts = await jobCounts(database.tables());
    const queued = counts.filter(({ state }) => state === 'queued');
    return queued.map(({ kind, dueMs }) => ({ labels: { kind }, value: dueMs / 1000 }));
  });
}

function measureQueues(metrics: Platform['metrics'], bus: Platform['bus']): void {
  metrics.gauge('seneschal_queue_commands', 'Commands in the queues', ['component', 'state'], async () =>
    (await bus.backlog()).flatMap(({ component, waiting, active }) => [
      { labels: { component, state: 'waiting' }, value: waiting },
      { labels: { component, state: 'active' }, value: active },
    ]),
  );
  metrics.gauge(
    'seneschal_queue_oldest_seconds',
    'Age of the oldest command that waits',
    ['component'],
    async () =>
      (await bus.backlog()).map(({ component, oldestMs }) => ({
        labels: { component },
        value: oldestMs / 1000,
      })),
  );
}

function measureLogs(metrics: Platform['metrics'], bus: Platform['bus']): void {
  const lags = async (): Promise<Awaited<ReturnType<typeof bus.lag>>> =>
    (await Promise.all(eventLogs.map((log) => bus.lag(log)))).flat();
  metrics.gauge(
    'seneschal_log_lag_facts',
    'Facts that a consumer has not applied',
    ['log', 'consumer'],
    async () =>
      (await lags()).map(({ log, consumer, facts }) => ({ labels: { log, consumer }, value: facts })),
  );
  metrics.gauge(
    'seneschal_log_lag_seconds',
    'Age of the oldest fact that a consumer has not applied',
    ['log', 'consumer'],
    async () =>
      (await lags()).map(({ log, consumer, ms }) => ({ labels: { log, consumer }, value: ms / 1000 })),
  );
}
