import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

import type { Span, SpanOptions, Tracer } from './span.ts';

interface Active {
  traceId: string;
  span?: Span;
}

const storage = new AsyncLocalStorage<Active>();

/** A trace ID as W3C has it: 32 hexadecimal digits. */
export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

/** The trace ID of the request or command under way; a fresh one outside of any. */
export function currentTraceId(): string {
  return storage.getStore()?.traceId ?? newTraceId();
}

export function activeTraceId(): string | undefined {
  return storage.getStore()?.traceId;
}

/** The span under way; undefined while nothing is traced. */
export function activeSpan(): Span | undefined {
  return storage.getStore()?.span;
}

/** Runs `work` so that every log line and every command that it causes carries `traceId`. */
export function withTrace<T>(traceId: string, work: () => T): T {
  return storage.run({ traceId }, work);
}

/** Runs `work` within a span, if there is one, or else under a trace ID alone. The span is ended by the caller. */
export function continueTrace<T>(span: Span | undefined, traceId: string, work: () => T): T {
  return storage.run(span === undefined ? { traceId } : { traceId: span.traceId, span }, work);
}

/** A span of the one under way, or the first of a new trace; undefined while nothing is traced. */
export function startSpan(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions = {},
): Span | undefined {
  return activeSpan()?.child(name, options) ?? tracer?.start(name, options);
}

/** Runs `work` within a span, if there is one, and ends it when the work has ended. */
export async function inSpan<T>(span: Span | undefined, work: () => Promise<T>): Promise<T> {
  if (span === undefined) return work();
  try {
    const result = await storage.run({ traceId: span.traceId, span }, work);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** Runs `work` as a part of the span under way; just so while there is none. */
export function traced<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  return inSpan(activeSpan()?.child(name, options), work);
}
