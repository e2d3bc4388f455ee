import type { Metrics } from '@seneschal/observability';

import { queueTotals } from './storage/lag.ts';
import type { FederationDb } from './storage/tables.ts';

/** How a request to another server ended. */
export type RequestOutcome = 'ok' | 'refused' | 'failed' | 'unreachable';

export interface FederationMetrics {
  /** A request to another server; `endpoint` is the fixed part of its path. */
  requested(endpoint: string, outcome: RequestOutcome, seconds: number): void;
  /** Keys of a server, asked of itself or of a notary. */
  keysFetched(from: 'server' | 'notary', isOk: boolean): void;
  /** A request of another server, by whether its signature was right. */
  authenticated(isOk: boolean): void;
  /** A transaction of ours; what failed is tried again later. */
  sent(isOk: boolean, pdus: number, edus: number): void;
  received(accepted: number, refused: number, edus: number): void;
  /** Messages to devices that waited for a server for too long. */
  edusDropped(count: number): void;
}

/** What a process counts of federation. */
export function federationMetrics(metrics: Pick<Metrics, 'counter' | 'histogram'>): FederationMetrics {
  const requests = metrics.histogram(
    'seneschal_federation_request_seconds',
    'Requests to other servers by the fixed part of their path; outcome is ok, refused (4xx), failed or unreachable',
    ['endpoint', 'outcome'],
    [0.05, 0.2, 1, 5, 20, 60],
  );
  const keys = metrics.counter(
    'seneschal_federation_key_fetches_total',
    'Keys of other servers that were asked for, from the servers themselves or from notaries',
    ['from', 'outcome'],
  );
  const authentications = metrics.counter(
    'seneschal_federation_authentications_total',
    'Requests of other servers, by whether their signature was accepted',
    ['outcome'],
  );
  const { transactions, pdus, edus, dropped } = trafficCounters(metrics);
  const ok = (isOk: boolean): string => (isOk ? 'ok' : 'failed');
  return {
    requested: (endpoint, outcome, seconds) => requests({ endpoint, outcome }, seconds),
    keysFetched: (from, isOk) => keys({ from, outcome: ok(isOk) }),
    authenticated: (isOk) => authentications({ outcome: isOk ? 'ok' : 'refused' }),
    sent: (isOk, pduCount, eduCount) => {
      transactions({ direction: 'out', outcome: ok(isOk) });
      if (!isOk) return;
      pdus({ direction: 'out', outcome: 'ok' }, pduCount);
      edus({ direction: 'out' }, eduCount);
    },
    received: (accepted, refused, eduCount) => {
      transactions({ direction: 'in', outcome: 'ok' });
      pdus({ direction: 'in', outcome: 'ok' }, accepted);
      pdus({ direction: 'in', outcome: 'refused' }, refused);
      edus({ direction: 'in' }, eduCount);
    },
    edusDropped: (count) => dropped({}, count),
  };
}

function trafficCounters(
  metrics: Pick<Metrics, 'counter'>,
): Record<'transactions' | 'pdus' | 'edus' | 'dropped', ReturnType<Metrics['counter']>> {
  const transactions = metrics.counter(
    'seneschal_federation_transactions_total',
    'Transactions to and from other servers; after one that failed a server is left alone for a while',
    ['direction', 'outcome'],
  );
  const pdus = metrics.counter('seneschal_federation_pdus_total', 'Events to and from other servers', [
    'direction',
    'outcome',
  ]);
  const edus = metrics.counter('seneschal_federation_edus_total', 'EDUs to and from other servers', [
    'direction',
  ]);
  const dropped = metrics.counter(
    'seneschal_federation_edus_dropped_total',
    'Messages to devices that were dropped, as their servers did not answer for too long',
    [],
  );
  return { transactions, pdus, edus, dropped };
}

/** What waits for other servers, read from the database when it is asked for: all processes tell the same. */
export function measureQueue(metrics: Pick<Metrics, 'gauge'>, db: FederationDb): void {
  metrics.gauge(
    'seneschal_federation_destinations',
    'Servers that something was sent to, by state',
    ['state'],
    async () => {
      const { states } = await queueTotals(db);
      const countOf = (state: string): number => states.find((one) => one.state === state)?.count ?? 0;
      return destinationStates.map((state) => ({ labels: { state }, value: countOf(state) }));
    },
  );
  metrics.gauge(
    'seneschal_federation_queue_pdus',
    'Events that wait for other servers, once for each',
    [],
    async () => [{ value: (await queueTotals(db)).pdus }],
  );
  metrics.gauge(
    'seneschal_federation_queue_edus',
    'EDUs that wait for other servers, once for each',
    [],
    async () => [{ value: (await queueTotals(db)).edus }],
  );
  metrics.gauge(
    'seneschal_federation_oldest_seconds',
    'Age of the oldest event that waits for another server',
    [],
    async () => {
      const { oldestTs } = await queueTotals(db);
      return [{ value: oldestTs === null ? 0 : Math.max(Date.now() - oldestTs, 0) / 1000 }];
    },
  );
}

const destinationStates = ['idle', 'sending', 'backing_off', 'blocked'];
