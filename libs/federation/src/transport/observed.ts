import type { Config } from '@seneschal/config';
import { isMatrixError, type JsonObject, type Signer } from '@seneschal/matrix';
import { activeSpan, inSpan, type Lifecycle, startSpan, type Tracer } from '@seneschal/observability';

import type { FederationMetrics, RequestOutcome } from '../federation-metrics.ts';
import type { BlockList } from './block-list.ts';
import { type ClientConfig, FederationClient, type FederationRequest } from './federation-client.ts';

interface Observers {
  metrics: FederationMetrics;
  tracer: Tracer | undefined;
  /** Servers that are told our `traceparent`; `*` for all. */
  tracedServers: readonly string[];
}

/** What sends requests to other servers. */
export type Requests = Pick<FederationClient, 'send' | 'sendUnsigned'>;

const transactions = '/_matrix/federation/v1/send';
const keysOfServer = '/_matrix/key/v2/server';
const keysOfNotary = '/_matrix/key/v2/query';

export interface ClientDeps {
  config: ClientConfig & Pick<Config, 'tracing_servers'>;
  signer: Signer;
  blocks: BlockList;
  metrics: FederationMetrics;
  tracer?: Tracer | undefined;
}

/** Opens a client whose requests are counted, timed and traced; the lifecycle closes it. */
export function openClient(lifecycle: Lifecycle, deps: ClientDeps): Requests {
  const { config, signer, blocks, metrics, tracer } = deps;
  const client = lifecycle.add(new FederationClient(config, signer, blocks));
  const observers = { metrics, tracer, tracedServers: config.tracing_servers };
  const watch = (
    request: FederationRequest,
    send: (asked: FederationRequest) => Promise<JsonObject>,
  ): Promise<JsonObject> => watchRequest(observers, request, send);
  return {
    send: (request) => watch(request, (asked) => client.send(asked)),
    sendUnsigned: (request) => watch(request, (asked) => client.sendUnsigned(asked)),
  };
}

async function watchRequest(
  { metrics, tracer, tracedServers }: Observers,
  request: FederationRequest,
  send: (asked: FederationRequest) => Promise<JsonObject>,
): Promise<JsonObject> {
  const { destination, method } = request;
  const endpoint = endpointOf(request.uri);
  const attributes = { 'http.request.method': method, 'http.route': endpoint, 'server.address': destination };
  const span = startSpan(tracer, `${method} ${endpoint}`, { kind: 'client', attributes });
  const isTold = tracedServers.includes('*') || tracedServers.includes(destination);
  const started = performance.now();
  const told = (outcome: RequestOutcome): void => {
    metrics.requested(endpoint, outcome, (performance.now() - started) / 1000);
    countKind(metrics, endpoint, request.content, outcome === 'ok');
  };
  try {
    const answer = await inSpan(span, () => {
      const traceParent = isTold ? activeSpan()?.traceParent : undefined;
      return send(traceParent === undefined ? request : { ...request, traceParent });
    });
    told('ok');
    return answer;
  } catch (error) {
    told(outcomeOf(error));
    throw error;
  }
}

function countKind(
  metrics: FederationMetrics,
  endpoint: string,
  content: JsonObject | undefined,
  isOk: boolean,
): void {
  const count = (key: string): number => {
    const list = content?.[key];
    return Array.isArray(list) ? list.length : 0;
  };
  if (endpoint === transactions) metrics.sent(isOk, count('pdus'), count('edus'));
  if (endpoint === keysOfServer) metrics.keysFetched('server', isOk);
  if (endpoint === keysOfNotary) metrics.keysFetched('notary', isOk);
}

function outcomeOf(error: unknown): RequestOutcome {
  if (!isMatrixError(error)) return 'unreachable';
  return error.status < 500 ? 'refused' : 'failed';
}

const fixedPart = /^\/_matrix\/(?:federation\/v\d\/(?:(?:user|query)\/)?[a-z_]+|key\/v2\/[a-z]+)/;

/** The fixed part of a path: what comes after it names rooms, users and events, and there is no end to these. */
export function endpointOf(uri: string): string {
  return fixedPart.exec(uri)?.[0] ?? 'other';
}
