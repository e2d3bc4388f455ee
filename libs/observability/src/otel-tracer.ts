import type * as Api from '@opentelemetry/api';

import {
  type FirstSpanOptions,
  parseTraceParent,
  type Span,
  type SpanAttributes,
  type SpanOptions,
  type Tracer,
} from './span.ts';

/** What of OpenTelemetry is loaded. */
interface Otel {
  api: Pick<typeof Api, 'SpanKind' | 'SpanStatusCode' | 'TraceFlags' | 'ROOT_CONTEXT' | 'trace'>;
  start(name: string, options: Api.SpanOptions, context: Api.Context): Api.Span;
}

/** Begins the spans of OpenTelemetry. */
export class OtelTracer implements Tracer {
  readonly #otel: Otel;

  constructor(otel: Otel) {
    this.#otel = otel;
  }

  start(name: string, { parent, caller, ...options }: FirstSpanOptions = {}): Span {
    const { ROOT_CONTEXT, trace, TraceFlags } = this.#otel.api;
    const from = parseTraceParent(parent ?? caller);
    if (from === undefined) return begin(this.#otel, ROOT_CONTEXT, name, options);
    const { traceId, spanId, isSampled } = from;
    const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const spanContext = { traceId, spanId, traceFlags, isRemote: parent === undefined };
    return begin(this.#otel, trace.setSpanContext(ROOT_CONTEXT, spanContext), name, options);
  }
}

function begin(otel: Otel, context: Api.Context, name: string, options: SpanOptions): Span {
  const { SpanKind, trace } = otel.api;
  const kinds = {
    internal: SpanKind.INTERNAL,
    server: SpanKind.SERVER,
    client: SpanKind.CLIENT,
    producer: SpanKind.PRODUCER,
    consumer: SpanKind.CONSUMER,
  };
  const { kind = 'internal', attributes = {} } = options;
  const span = otel.start(name, { kind: kinds[kind], attributes: { ...attributes } }, context);
  return new OtelSpan(otel, span, trace.setSpan(context, span));
}

class OtelSpan implements Span {
  readonly #otel: Otel;
  readonly #span: Api.Span;
  readonly #context: Api.Context;

  constructor(otel: Otel, span: Api.Span, context: Api.Context) {
    this.#otel = otel;
    this.#span = span;
    this.#context = context;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  get traceParent(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  get isRecorded(): boolean {
    return this.#span.isRecording();
  }

  child(name: string, options: SpanOptions = {}): Span {
    return begin(this.#otel, this.#context, name, options);
  }

  describe(attributes: SpanAttributes, name?: string): void {
    this.#span.setAttributes({ ...attributes });
    if (name !== undefined) this.#span.updateName(name);
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      this.#span.setAttribute('error.type', typeOf(error));
      const isRefusal = isErrorWith(error, 'status') && Number(error.status) < 500;
      if (!isRefusal) this.#span.setStatus({ code: this.#otel.api.SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

/** The kind of an error. Its message may quote what was sent. */
function typeOf(error: unknown): string {
  if (isErrorWith(error, 'errcode')) return String(error.errcode).slice(0, 64);
  if (isErrorWith(error, 'code')) return String(error.code).slice(0, 64);
  return error instanceof Error ? error.name : 'unknown';
}

function isErrorWith<Key extends string>(error: unknown, key: Key): error is Record<Key, unknown> {
  return typeof error === 'object' && error !== null && key in error;
}
