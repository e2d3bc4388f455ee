import { createHash } from 'node:crypto';

import type { Kysely, Transaction } from 'kysely';

import type { CallBus } from '@seneschal/bus';
import type { Command, JobKind } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { JsonValue } from '@seneschal/matrix';
import type { Logger, Tracer } from '@seneschal/observability';

import { type Children, childrenOf, childrenToRetry, endedChildren } from './children.ts';
import { Fenced, type Progress, type StepContext } from './handler.ts';
import { itemsStatement, itemsToRetry } from './items.ts';
import { saveAlone, saveProgress } from './runs.ts';
import type { StartOptions } from './start.ts';
import type { JobRow, JobTables } from './tables.ts';

export interface RunDeps {
  db: Kysely<JobTables>;
  bus: CallBus;
  logger: Logger;
  tracer?: Tracer | undefined;
  leaseMs: number;
  start<Child extends object>(
    kind: JobKind<Child>,
    input: Child,
    options: StartOptions,
  ): Promise<{ jobId: string; parentId: string | null }>;
  /** Does again what failed; nothing when there is nothing to be done again. */
  retry(jobId: string): Promise<void>;
  /** Tells those who watch the job, now or a moment later. */
  changed: (jobId: string) => void;
  /** Tells those who watch the job, or wait for its end, that it is in nobody's hands. */
  left: (jobId: string) => void;
}

/** A job in the hands of a runner: its row as far as the runner knows it. */
export class Run {
  readonly row: JobRow;
  readonly abort = new AbortController();
  readonly #deps: RunDeps;
  readonly #logger: Logger;
  #countedFrom = performance.now();
  /** How many children had ended when the step under way looked last; undefined when it did not. */
  endedSeen: number | undefined;
  /** Calls and children of the step under way. */
  #asked = 0;

  constructor(row: JobRow, deps: RunDeps) {
    this.row = row;
    this.#deps = deps;
    this.#logger = deps.logger.child({ jobId: row.job_id, kind: row.kind });
  }

  /** What the next step is given. */
  context(input: object, { isLastAttempt }: Pick<StepContext, 'isLastAttempt'>): StepContext {
    const { row } = this;
    const { db } = this.#deps;
    this.#asked = 0;
    this.endedSeen = undefined;
    return {
      jobId: row.job_id,
      input,
      phase: row.phase,
      requestedBy: row.requested_by,
      cursor: row.cursor as JsonValue,
      result: row.result,
      isRetry: row.is_retry,
      isLastAttempt,
      logger: this.#logger,
      signal: this.abort.signal,
      commit: (work) => this.#commit(work),
      itemsStatement: (items, guard) => itemsStatement(row, items, guard),
      itemsToRetry: (after, limit) => itemsToRetry(db, row, after, limit),
      call: (command, commandInput, options) => this.#call(command, commandInput, options),
      startChild: (kind, childInput) => this.#startChild(kind, childInput),
      children: () => this.#children(),
      endedChildren: (limit) => endedChildren(db, row.job_id, limit),
      retryChildren: async () => {
        for (const jobId of await childrenToRetry(db, row.job_id)) await this.#deps.retry(jobId);
      },
    };
  }

  async #startChild<Child extends object>(
    kind: JobKind<Child>,
    input: Child,
  ): Promise<{ jobId: string; isChild: boolean }> {
    const { job_id: parentId, requested_by: requestedBy } = this.row;
    const idempotencyKey = `${parentId}\0${kind.target(input)}`;
    const child = await this.#deps.start(kind, input, { requestedBy, idempotencyKey, parentId });
    return { jobId: child.jobId, isChild: child.parentId === parentId };
  }

  async #children(): Promise<Children> {
    const children = await childrenOf(this.#deps.db, this.row.job_id);
    this.endedSeen = children.finished;
    return children;
  }

  async #commit<Tables>(
    work: Progress | ((transaction: Transaction<Tables>) => Promise<Progress>),
  ): Promise<void> {
    const { row } = this;
    const { progress, state } =
      typeof work === 'function' ? await this.#commitWith(work) : await this.#commitAlone(work);
    this.#countedFrom = performance.now();
    row.state = state;
    row.attempts = 0;
    if (progress.cursor !== undefined) row.cursor = progress.cursor;
    if (progress.result !== undefined) row.result = { ...row.result, ...progress.result };
    this.#deps.changed(row.job_id);
  }

  async #commitWith<Tables>(
    work: (transaction: Transaction<Tables>) => Promise<Progress>,
  ): Promise<{ progress: Progress; state: JobRow['state'] }> {
    return transact(this.#deps.db, async (transaction) => {
      const progress = await work(transaction as unknown as Transaction<Tables>);
      if (progress.items !== undefined && progress.items.length > 0) {
        await itemsStatement(this.row, progress.items).execute(transaction);
      }
      const state = await saveProgress(transaction, this.row, progress, this.#given());
      return { progress, state: notFenced(state) };
    });
  }

  async #commitAlone(progress: Progress): Promise<{ progress: Progress; state: JobRow['state'] }> {
    const state = await saveAlone(this.#deps.db, this.row, progress, this.#given());
    return { progress, state: notFenced(state) };
  }

  #given(): { leaseMs: number; busyMs: number } {
    return { leaseMs: this.#deps.leaseMs, busyMs: performance.now() - this.#countedFrom };
  }

  /** The same step of the same job calls the same commands in the same order, so that none is done twice. */
  #call<In, Out>(command: Command<In, Out>, input: In, options: { timeoutMs?: number } = {}): Promise<Out> {
    const { job_id: jobId, phase, cursor, is_retry: isRetry } = this.row;
    this.#asked += 1;
    const idempotencyKey = createHash('sha256')
      .update(JSON.stringify([jobId, phase, cursor, isRetry, this.#asked, command.name]))
      .digest('hex');
    return this.#deps.bus.call(command, input, { idempotencyKey, ...options });
  }
}

function notFenced(state: JobRow['state'] | undefined): JobRow['state'] {
  if (state === undefined) throw new Fenced('The job is in other hands.');
  return state;
}
