import {
  type EnqueuedTaskPromise,
  Meilisearch,
  MeilisearchApiError,
  MeilisearchRequestError,
  MeilisearchRequestTimeOutError,
  type Task,
} from 'meilisearch';

import { EngineRefused, EngineUnavailable, IndexMissing } from '../engine.ts';

export interface MeilisearchConfig {
  url: string;
  apiKey: string | null;
  prefix: string;
}

/** A request for documents waits for what the server reads of it; a search has to be there long before. */
const requestTimeoutMs = 30_000;
const pollMs = 25;
const oldestMinor = 12;

/** Everything that goes over HTTP to Meilisearch, and what its errors mean to us. */
export class MeilisearchServer {
  readonly client: Meilisearch;

  constructor({ url, apiKey }: Omit<MeilisearchConfig, 'prefix'>) {
    this.client = new Meilisearch({
      host: url,
      ...(apiKey === null ? {} : { apiKey }),
      timeout: requestTimeoutMs,
      // What Meilisearch compresses it sends in parts, and the last one waits some 40 ms for an acknowledgement of
      // those before it (Nagle's algorithm): a search would take 44 ms instead of 1.5.
      requestInit: { headers: { 'Accept-Encoding': 'identity' } },
    });
  }

  /** Throws EngineRefused for a server that is too old. */
  async version(): Promise<{ text: string; minor: number }> {
    const { pkgVersion: text } = await this.ask(() => this.client.getVersion());
    const [major = 0, minor = 0] = text.split('.').map(Number);
    if (major < 1 || (major === 1 && minor < oldestMinor)) {
      throw new EngineRefused(`Meilisearch ${text} is too old: 1.${oldestMinor} or later is needed.`);
    }
    return { text, minor: major > 1 ? Infinity : minor };
  }

  /** A request; its failure as one of our errors. */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw translated(error);
    }
  }

  /**
   * Asks for something that is done later and waits for it. Meilisearch answers such a request before it has
   * looked at the documents: whether they were taken stands in the task alone.
   * @throws EngineUnavailable also when it has not ended in time; it may still be done afterwards
   */
  async finish(request: () => EnqueuedTaskPromise, timeoutMs: number): Promise<Task> {
    const { taskUid } = await this.ask(request);
    return this.ask(() => this.client.tasks.waitForTask(taskUid, { timeout: timeoutMs, interval: pollMs }));
  }

  /** As `finish`, for what is not a matter of single documents: throws when the task failed. */
  async succeed(
    request: () => EnqueuedTaskPromise,
    timeoutMs: number,
    isHarmless: (code: string) => boolean = () => false,
  ): Promise<Task> {
    const task = await this.finish(request, timeoutMs);
    if (task.status !== 'succeeded' && !isHarmless(task.error?.code ?? '')) throw failure(task);
    return task;
  }
}

/** A task that failed for a reason other than its documents. */
export function failure(task: Task): Error {
  const code = task.error?.code ?? task.status;
  if (code === 'index_not_found') return new IndexMissing('The index is gone.');
  return new EngineUnavailable(`Meilisearch could not do a task of type ${task.type} (${code}).`);
}

/** The messages of Meilisearch may quote what was sent to it: its codes say enough. */
function translated(error: unknown): unknown {
  if (error instanceof MeilisearchApiError) {
    const code = error.cause?.code ?? `HTTP status ${error.response.status}`;
    if (code === 'index_not_found') return new IndexMissing('The index is gone.', { cause: error });
    if ([401, 403].includes(error.response.status)) {
      return new EngineRefused(`Meilisearch refuses the key in meilisearch_api_key (${code}).`);
    }
    return new EngineUnavailable(`Meilisearch refused a request (${code}).`, { cause: error });
  }
  if (error instanceof MeilisearchRequestError || error instanceof MeilisearchRequestTimeOutError) {
    return new EngineUnavailable('Meilisearch cannot be reached at the address in meilisearch_url.', {
      cause: error,
    });
  }
  if (error instanceof Error && error.name.startsWith('Meilisearch')) {
    return new EngineUnavailable(`Meilisearch did not answer in time (${error.name}).`, { cause: error });
  }
  return error;
}
