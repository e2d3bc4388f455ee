export { createLogger, type Logger, type LogLevel } from './logger.ts';
export { Lifecycle, type Stoppable } from './lifecycle.ts';
export { Metrics, type Sample } from './metrics.ts';
export { openTracer, type TracerOptions } from './open-tracer.ts';
export {
  type FirstSpanOptions,
  parseTraceParent,
  type Span,
  type SpanAttributes,
  type SpanOptions,
  type Tracer,
} from './span.ts';
export {
  activeSpan,
  activeTraceId,
  continueTrace,
  currentTraceId,
  inSpan,
  newTraceId,
  startSpan,
  traced,
  withTrace,
} from './trace.ts';
export { software } from './version.ts';
