import type { Stoppable } from '@seneschal/observability';

import { startReceiver, type TestReceiver } from './receiver.ts';

/** A span as a collector gets it. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  /** Of the resource: which program of ours it comes from, and what it is called. */
  process: string;
  service: string;
  attributes: Record<string, unknown>;
  isError: boolean;
}

/** A collector of OpenTelemetry on this machine, which takes OTLP as JSON over real HTTP. */
export interface TestCollector extends Stoppable {
  readonly endpoint: string;
  readonly receiver: TestReceiver;
  /** What has come so far. */
  spans(): CollectedSpan[];
}

interface Value {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
}

type Attributes = readonly { key: string; value: Value }[];

interface Export {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        attributes: Attributes;
        status: { code?: number };
      }[];
    }[];
  }[];
}

export async function startCollector(): Promise<TestCollector> {
  const receiver = await startReceiver();
  receiver.answer = (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  return {
    endpoint: `http://127.0.0.1:${receiver.port}/v1/traces`,
    receiver,
    spans: () => receiver.received.flatMap(({ body }) => spansIn(JSON.parse(body) as Export)),
    stop: () => receiver.stop(),
  };
}

function spansIn({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const of = valuesOf(resource.attributes);
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: span.name,
        process: String(of['seneschal.process']),
        service: String(of['service.name']),
        attributes: valuesOf(span.attributes),
        isError: span.status.code === 2,
      }));
  });
}

function valuesOf(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
