import { createHash } from 'node:crypto';

import type { Kysely, Transaction } from 'kysely';

import type { CallBus } from '@seneschal/bus';
import type { Command, JobKind } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { JsonValue } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { type Children, childrenOf, childrenToRetry, endedChildren } from './children.ts';
import { Fenced, type Progress, type StepContext } from './handler.ts';
import { itemsStatement, itemsToRetry } from './items.ts';
import { type Hold, saveProgress } from './runs.ts';
import type { StartOptions } from './start.ts';
import type { JobRow, JobTables } from './tables.ts';

export interface RunDeps {
  db: Kysely<JobTables>;
  bus: CallBus;
  logger: Logger;
  leaseMs: number;
  start<Child extends object>(
    kind: JobKind<Child>,
    input: Child,
    options: StartOptions,
  ): Promise<{ jobId: string; parentId: string | null }>;
  /** Does again what failed; nothing when there is nothing to be done again. */
  retry(jobId: string): Promise<void>;
  /** Tells those who watch the job. */
  changed: (jobId: string) => void;
}

/** A job in the hands of a runner: its row as far as the runner knows it. */
export class Run {
  readonly row: JobRow;
  readonly hold: Hold;
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
    this.hold = { jobId: row.job_id, epoch: row.epoch };
    this.#deps = deps;
    this.#logger = deps.logger.child({ jobId: row.job_id, kind: row.kind });
  }

  /** What the next step is given. */
  context(input: object, { isLastAttempt }: Pick<StepContext, 'isLastAttempt'>): StepContext {
    const { row, hold } = this;
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
      endedChildren: (limit) => endedChildren(db, hold.jobId, limit),
      retryChildren: async () => {
        for (const jobId of await childrenToRetry(db, hold.jobId)) await this.#deps.retry(jobId);
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
    const children = await childrenOf(this.#deps.db, this.hold.jobId);
    this.endedSeen = children.finished;
    return children;
  }

  async #commit<Tables>(work: (transaction: Transaction<Tables>) => Promise<Progress>): Promise<void> {
    const { db, leaseMs, changed } = this.#deps;
    let progress: Progress = {};
    const state = await transact(db, async (transaction) => {
      progress = await work(transaction as unknown as Transaction<Tables>);
      if (progress.items !== undefined && progress.items.length > 0) {
        await itemsStatement(this.row, progress.items).execute(transaction);
      }
      const busyMs = performance.now() - this.#countedFrom;
      const saved = await saveProgress(transaction, this.hold, progress, { leaseMs, busyMs });
      if (saved === undefined) throw new Fenced('The job is in other hands.');
      return saved;
    });
    this.#countedFrom = performance.now();
    this.row.state = state;
    this.row.attempts = 0;
    if (progress.cursor !== undefined) this.row.cursor = progress.cursor;
    if (progress.result !== undefined) this.row.result = { ...this.row.result, ...progress.result };
    changed(this.row.job_id);
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
