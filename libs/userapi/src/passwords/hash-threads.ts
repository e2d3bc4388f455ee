import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { limitExceeded } from '@seneschal/matrix';

import { type HashResult, type HashTask, threadSource } from './thread-source.ts';

interface Pending {
  task: HashTask;
  resolve: (value: string | boolean) => void;
  reject: (error: unknown) => void;
}

/** Low enough to be out of the way of requests, high enough that logins go on beside other busy programs. */
const niceness = 15;
const idleMs = 10_000;
/** Beyond it a password would wait for more than half a minute on two cores. */
const longestQueue = 1000;

/**
 * Threads that hash passwords, one per core: they leave the event loop and libuv's threads alone. They start
 * when first needed, end after some idle seconds, and keep no process alive that waits for none of them.
 */
export class HashThreads {
  readonly #size: number;
  readonly #bcrypt = createRequire(import.meta.url).resolve('@node-rs/bcrypt');
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Pending>();
  readonly #queue: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(size = availableParallelism()) {
    this.#size = size;
  }

  /** Throws M_LIMIT_EXCEEDED when too many wait already. */
  run(task: HashTask): Promise<string | boolean> {
    if (this.#queue.length >= longestQueue) {
      return Promise.reject(
        limitExceeded(5000, 'Too many passwords wait to be checked. Try again in a moment.'),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      this.#next();
    });
  }

  /** Ends the threads that have nothing to do. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#queue.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.#size ? this.#start() : undefined);
    const pending = worker === undefined ? undefined : this.#queue.shift();
    if (worker === undefined || pending === undefined) return;
    clearTimeout(this.#timer);
    this.#busy.set(worker, pending);
    worker.ref();
    worker.postMessage(pending.task);
  }

  #start(): Worker {
    const worker = new Worker(threadSource, {
      eval: true,
      execArgv: [],
      env: {},
      workerData: { bcrypt: this.#bcrypt, niceness },
    });
    worker.on('message', (result: HashResult) => this.#finished(worker, result));
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('A hashing thread has ended.')));
    return worker;
  }

  #finished(worker: Worker, result: HashResult): void {
    const pending = this.#busy.get(worker);
    this.#busy.delete(worker);
    worker.unref();
    this.#idle.push(worker);
    if (result.ok) pending?.resolve(result.value);
    else pending?.reject(new Error('The password could not be hashed.'));
    this.#next();
    if (this.#busy.size === 0) this.#timer = setTimeout(() => void this.stop(), idleMs).unref();
  }

  #lost(worker: Worker, error: unknown): void {
    const at = this.#idle.indexOf(worker);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#busy.get(worker)?.reject(error);
    this.#busy.delete(worker);
    this.#next();
  }
}
