import { MatrixError } from '@seneschal/matrix';

import { sqlState } from './database.ts';

/** Of SQLSTATE: connection exceptions, too many connections, and a server that stops, has crashed or is starting. */
const awayStates = /^(08...|53300|57P0[123])$/;
/** Of Node: nobody there, or no answer. A Unix socket that is not there is ENOENT. */
const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** pg gives these no code. */
const awayTexts = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
];

const tryAgainMs = 2000;

/**
 * What to answer when a query failed because PostgreSQL could not be reached, or was lost meanwhile: 503, to be
 * tried again. Undefined when it failed of anything else.
 */
export function databaseAway(error: unknown): MatrixError | undefined {
  if (!isAway(error)) return undefined;
  return new MatrixError(503, 'M_UNKNOWN', 'The server cannot reach its database. Try again in a moment.', {
    retry_after_ms: tryAgainMs,
  });
}

function isAway(error: unknown): boolean {
  const code = sqlState(error);
  if (code === 'ENOENT') return (error as NodeJS.ErrnoException).syscall === 'connect';
  if (code !== undefined) return awayStates.test(code) || awayCodes.has(code);
  const message = error instanceof Error ? error.message : '';
  return awayTexts.some((text) => message.startsWith(text));
}
