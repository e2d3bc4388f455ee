export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/**
 * What a span tells beside its name. Names of things and figures only: no token, no password, no content, no query
 * of an address, as whoever looks at traces is not meant to read these.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: SpanAttributes;
}

export interface FirstSpanOptions extends SpanOptions {
  /** The `traceparent` of another process of ours: whether the trace is recorded was decided there. */
  parent?: string | undefined;
  /** The `traceparent` that came from outside: it names the trace, and what is recorded is decided here. */
  caller?: string | undefined;
}

/** A piece of work within a trace. */
export interface Span {
  readonly traceId: string;
  /** Names this span to another process (W3C Trace Context). */
  readonly traceParent: string;
  /** Whether anybody will see it. */
  readonly isRecorded: boolean;
  child(name: string, options?: SpanOptions): Span;
  /** Says of it what was not known at its beginning. */
  describe(attributes: SpanAttributes, name?: string): void;
  /** A refusal (an error with a status below 500) is no failure; of an error only its kind is kept. */
  end(error?: unknown): void;
}

/** Begins spans where a process takes work up. */
export interface Tracer {
  start(name: string, options?: FirstSpanOptions): Span;
}

export interface TraceParent {
  traceId: string;
  spanId: string;
  isSampled: boolean;
}

const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Reads a W3C `traceparent`; undefined when it is none. */
export function parseTraceParent(text: string | undefined): TraceParent | undefined {
  const [, traceId, spanId, flags] = traceParent.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
