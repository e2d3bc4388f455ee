export { createLogger, type Logger, type LogLevel } from './logger.ts';
export { Lifecycle, type Stoppable } from './lifecycle.ts';
export { activeTraceId, currentTraceId, withTrace } from './trace.ts';
export { software } from './version.ts';
