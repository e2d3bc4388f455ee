import { type DestinationRecord, federation } from '@seneschal/contracts';
import { isServerName } from '@seneschal/matrix';
import { z } from 'zod';

export const base = '/_seneschal/v1/federation';

export const serverName = z.string().refine(isServerName, 'is not a server name');

/** Times in ms since 1970. */
export const destinationAnswer = z.object({
  server_name: z.string(),
  state: z.enum(federation.destinationStates),
  queue_length: z.number(),
  failures: z.number(),
  last_success_ts: z.number().nullable(),
  last_failure_ts: z.number().nullable(),
  last_error: z.string().nullable(),
  next_try_ts: z.number().nullable(),
});

export function toAnswer(record: DestinationRecord): z.infer<typeof destinationAnswer> {
  return {
    server_name: record.serverName,
    state: record.state,
    queue_length: record.queueLength,
    failures: record.failures,
    last_success_ts: record.lastSuccessTs,
    last_failure_ts: record.lastFailureTs,
    last_error: record.lastError,
    next_try_ts: record.nextTryTs,
  };
}

/** A page with one entry more than asked for, and the place of the next one. */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  placeOf: (last: T) => string,
): { entries: T[]; next: { next_token?: string } } {
  const entries = found.slice(0, limit);
  const last = found.length > limit ? entries.at(-1) : undefined;
  return { entries, next: last === undefined ? {} : { next_token: placeOf(last) } };
}
