export { createLogger, type Logger, type LogLevel } from './logger.ts';
export { Lifecycle, type Stoppable } from './lifecycle.ts';
export { Metrics, type Sample } from './metrics.ts';
export { activeTraceId, currentTraceId, withTrace } from './trace.ts';
export { software } from './version.ts';
