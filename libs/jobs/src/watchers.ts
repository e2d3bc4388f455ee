import { type Kysely, sql } from 'kysely';

import type { Bus } from '@seneschal/bus';
import type { Stoppable } from '@seneschal/observability';

import type { JobTables } from './tables.ts';

/** At the most one hint of a job in this time. */
const throttleMs = 100;
/** Hints may be lost, the rows are not. */
const pollMs = 1000;
/** Ends the hint of a job that no runner holds any more. */
const leftMark = ' left';

/** The version after one, or the end of the job. */
export type Awaited = { after: number } | 'end';

type WatchedBus = Pick<Bus, 'redis' | 'subscribe' | 'prefix'>;

interface Watcher {
  jobId: string;
  awaited: Awaited;
  resolve(): void;
}

interface Version {
  job_id: string;
  version: number;
  is_finished: boolean;
}

function hasCome(awaited: Awaited, job: Version | undefined): boolean {
  return job === undefined || (awaited === 'end' ? job.is_finished : job.version > awaited.after);
}

/** Tells of changes to jobs over Redis, and waits for them. */
export class Watchers implements Stoppable {
  readonly #bus: WatchedBus;
  readonly #everyMs: number;
  readonly #channel: string;
  readonly #db: Kysely<JobTables>;
  readonly #watchers = new Set<Watcher>();
  readonly #hinted = new Map<string, NodeJS.Timeout>();
  #hints: Stoppable | undefined;
  #poll: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param everyMs how often watched rows are looked at without a hint */
  constructor(bus: WatchedBus, db: Kysely<JobTables>, everyMs = pollMs) {
    this.#everyMs = everyMs;
    this.#bus = bus;
    this.#channel = `${bus.prefix}:jobs`;
    this.#db = db;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Tells every process that a job has changed, now or a moment later. */
  changed(jobId: string): void {
    if (this.#stopped || this.#hinted.has(jobId)) return;
    const hint = (): void => {
      this.#hinted.delete(jobId);
      this.#hint(jobId);
    };
    this.#hinted.set(jobId, setTimeout(hint, throttleMs));
    this.#hint(jobId);
  }

  /** Tells at once that a job may have ended: those who wait for its end look only then. */
  left(jobId: string): void {
    if (this.#stopped) return;
    clearTimeout(this.#hinted.get(jobId));
    this.#hinted.delete(jobId);
    this.#hint(`${jobId}${leftMark}`);
  }

  #hint(text: string): void {
    this.#bus.redis.publish(this.#channel, text).catch(() => 0);
  }

  /** Resolves when what is awaited of a job has come, after `timeoutMs`, or when asked to end. */
  async next(jobId: string, awaited: Awaited, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#stopped || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#watchers.delete(watcher);
        resolve();
      };
      const watcher = { jobId, awaited, resolve: done };
      const timer = setTimeout(done, timeoutMs);
      signal?.addEventListener('abort', done);
      this.#watchers.add(watcher);
      this.#listen();
      // It may have changed before anybody listened.
      void this.#look();
    });
  }

  #listen(): void {
    this.#hints ??= this.#bus.subscribe(this.#channel, { hear: (hint) => this.#hear(hint) });
    this.#poll ??= setInterval(() => void this.#look(), this.#everyMs);
  }

  #hear(hint: string): void {
    const hasLeft = hint.endsWith(leftMark);
    const jobId = hasLeft ? hint.slice(0, -leftMark.length) : hint;
    void this.#look((one) => one.jobId === jobId && (hasLeft || one.awaited !== 'end'));
  }

  /** Wakes those for whose job it has come, or whose job is gone. */
  async #look(isMeant = (_one: Watcher): boolean => true): Promise<void> {
    const watched = [...this.#watchers].filter(isMeant);
    if (watched.length === 0) {
      this.#rest();
      return;
    }
    try {
      const rows = await sql<Version>`
        SELECT job_id, version, finished_ts IS NOT NULL AS is_finished FROM jobs WHERE job_id = ANY(${[...new Set(watched.map((one) => one.jobId))]})
      `.execute(this.#db);
      const versions = new Map(rows.rows.map((row) => [row.job_id, row]));
      for (const one of watched) {
        if (hasCome(one.awaited, versions.get(one.jobId))) one.resolve();
      }
    } catch {
      // The database is away; the next look tells.
    }
  }

  #rest(): void {
    if (this.#watchers.size > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** Ends all waiting. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const one of this.#watchers) one.resolve();
    this.#rest();
    for (const timer of this.#hinted.values()) clearTimeout(timer);
    await this.#hints?.stop();
  }
}
