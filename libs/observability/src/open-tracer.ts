import { randomUUID } from 'node:crypto';

import type { Context, Span as OtelSpan, SpanOptions as OtelSpanOptions } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

import type { Stoppable } from './lifecycle.ts';
import { OtelTracer } from './otel-tracer.ts';
import { software } from './version.ts';

export interface TracerOptions {
  /** Where spans are sent by OTLP over HTTP, as in `http://127.0.0.1:4318/v1/traces`. */
  endpoint: string;
  /** Sent with each request to it. */
  headers: Readonly<Record<string, string>>;
  /** The part of all traces that is recorded, from 0 to 1. */
  sampleRatio: number;
  serviceName: string;
  /** The program, such as `worker`. */
  processName: string;
  /** Told of each portion of spans, and how the collector took it. */
  exported: (spans: number, error: Error | undefined) => void;
}

/** How long the collector may take. */
const timeoutMs = 5000;
/** What is not sent by then, when the process ends, is lost. */
const flushMs = 3000;
/** Spans that wait to be sent; what comes when it is full is dropped. */
const queueSize = 4096;
const longestAttribute = 1024;

/**
 * Opens the way to a collector. The SDK of OpenTelemetry and its exporter are loaded here and nowhere
 * else: without an endpoint they never are. A collector that is away or slow costs spans, and nothing else.
 */
export async function openTracer(options: TracerOptions): Promise<OtelTracer & Stoppable> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const ratio = new sdk.TraceIdRatioBasedSampler(options.sampleRatio);
  const exporter = new OTLPTraceExporter({
    url: options.endpoint,
    headers: { ...options.headers },
    timeoutMillis: timeoutMs,
  });
  const provider = new sdk.BasicTracerProvider({
    // Whoever calls from outside may say that his trace is to be recorded: only our own processes are believed.
    sampler: new sdk.ParentBasedSampler({
      root: ratio,
      remoteParentSampled: ratio,
      remoteParentNotSampled: ratio,
    }),
    resource: resourceFromAttributes({
      'service.name': options.serviceName,
      'service.version': software.version,
      'service.instance.id': randomUUID(),
      'seneschal.process': options.processName,
    }),
    spanLimits: { attributeValueLengthLimit: longestAttribute },
    spanProcessors: [
      new sdk.BatchSpanProcessor(counting(exporter, options.exported), {
        maxQueueSize: queueSize,
        exportTimeoutMillis: 2 * timeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer(software.name, software.version);
  const open = {
    api,
    start: (name: string, given: OtelSpanOptions, context: Context): OtelSpan =>
      tracer.startSpan(name, given, context),
  };
  return Object.assign(new OtelTracer(open), {
    stop: async () => {
      const isSent = await withinMs(provider.shutdown(), flushMs);
      if (!isSent) options.exported(0, new Error('There was no time to send the last spans.'));
    },
  });
}

/** Tells of each portion: the SDK itself says nothing of what does not arrive. */
function counting(exporter: SpanExporter, exported: TracerOptions['exported']): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        exported(spans.length, result.error ?? (result.code ? new Error('refused') : undefined));
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Whether the work ended in time, as it ought to or not. */
async function withinMs(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  const isInTime = await Promise.race([ended, late]);
  clearTimeout(timer);
  return isInTime;
}
