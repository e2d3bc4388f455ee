import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const storage = new AsyncLocalStorage<string>();

/** The trace ID of the request or command under way; a fresh one outside of any. */
export function currentTraceId(): string {
  return storage.getStore() ?? randomUUID();
}

/** Runs `work` so that every log line and every command that it causes carries `traceId`. */
export function withTrace<T>(traceId: string, work: () => T): T {
  return storage.run(traceId, work);
}

export function activeTraceId(): string | undefined {
  return storage.getStore();
}
