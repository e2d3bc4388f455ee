import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

import { describeError } from './describe-error.ts';
import { activeTraceId } from './trace.ts';

export type Logger = PinoLogger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Keys that never reach a log line, whatever object they hang on. */
const secrets = [
  'password',
  'access_token',
  'accessToken',
  'tokenHash',
  'passwordHash',
  'mac',
  'authorization',
];

/** One JSON line per entry, on standard output unless told otherwise, with the trace ID of what it belongs to. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    serializers: { error: (error: unknown) => describeError(error) },
    redact: { paths: secrets.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
    mixin: () => {
      const traceId = activeTraceId();
      return traceId === undefined ? {} : { traceId };
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
