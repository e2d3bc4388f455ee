import type { RawBuilder, Transaction } from 'kysely';

import type { Command, JobKind } from '@seneschal/contracts';
import type { JsonObject, JsonValue } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import type { Children, EndedChild } from './children.ts';

/** What became of one item; the last word of a phase on an item counts. */
export interface Item {
  item: string;
  state: 'done' | 'skipped' | 'failed';
  reason?: string;
}

/** What one transaction of a step did. */
export interface Progress {
  /** Where the phase stands from now on. */
  cursor?: JsonValue;
  /** Items that were dealt with, well or not. */
  done?: number;
  /** How many items there are in all, as soon as that is known. It is never less than what is done. */
  total?: number;
  /** How many items are left after this commit, counted anew: the total becomes what is done and these. */
  left?: number;
  items?: readonly Item[];
  /** Merged into the job's result, key by key. Small: what is large belongs into a table or a file. */
  result?: JsonObject;
}

/** Whether the phase has more to do at once, after so many ms or when a child has ended, or nothing more. */
export type StepAnswer = 'again' | 'done' | { waitMs: number };

/** What a step works with. One step takes well under 5 s: between two of them cancel, pause and stop are looked at. */
export interface StepContext<Input extends object = object> {
  readonly jobId: string;
  readonly input: Input;
  readonly phase: string;
  readonly requestedBy: string;
  /** What the last commit of this phase saved; null at the beginning. */
  readonly cursor: JsonValue;
  readonly result: JsonObject;
  /** Whether only what failed before is done again. */
  readonly isRetry: boolean;
  /** Whether the job fails when this attempt at the step does. */
  readonly isLastAttempt: boolean;
  readonly logger: Logger;
  /** Aborted when the step's work would be for nothing, or is to end soon. */
  readonly signal: AbortSignal;
  /**
   * ONE transaction that does the work and saves how far it got. When another runner has taken over, it is
   * rolled back and throws Fenced, which the step lets pass. With nothing to do but to save, it takes what is to
   * be saved: one statement, which is not waited for to reach the disk. A crash of the database may lose it, and
   * the step is then done again.
   */
  commit<Tables>(work: Progress | ((transaction: Transaction<Tables>) => Promise<Progress>)): Promise<void>;
  /**
   * A statement that keeps the results of items, to be made part of a larger one that makes them true: for
   * work that is stored outside of `commit`, can be repeated, and must be told of all the same.
   * @param guard a FROM clause of one row when the larger statement takes effect, of none when not
   */
  itemsStatement(items: readonly Item[], guard: RawBuilder<unknown>): RawBuilder<unknown>;
  /** The items of this phase that are to be done again, after one of them, in order of their names. */
  itemsToRetry(after: string | undefined, limit: number): Promise<string[]>;
  /** Calls a command; a repetition of the same step makes the same call. */
  call<In, Out>(command: Command<In, Out>, input: In, options?: { timeoutMs?: number }): Promise<Out>;
  /**
   * Starts a job as a part of this one; a repetition of it finds the same. Where a job of the same kind and
   * target is under way already it is that one, which is no child of this job.
   */
  startChild<Child extends object>(
    kind: JobKind<Child>,
    input: Child,
  ): Promise<{ jobId: string; isChild: boolean }>;
  /** How the children stand. */
  children(): Promise<Children>;
  /** Some of the children that have ended and of whose target no item tells yet. */
  endedChildren(limit: number): Promise<EndedChild[]>;
  /** Does the children again that did not go well; what is under way already stays so. */
  retryChildren(): Promise<void>;
}

export type Step<Input extends object> = (context: StepContext<Input>) => Promise<StepAnswer>;

export interface JobHandler {
  readonly kind: JobKind;
  readonly phases: Readonly<Record<string, Step<object> | undefined>>;
}

/**
 * Binds a kind of job to its steps. A step that throws is done again, later and later; a MatrixError below 500,
 * or too many attempts without a commit, make the job fail.
 */
export function handleJob<Input extends object, Phase extends string>(
  kind: JobKind<Input, Phase>,
  phases: Record<Phase, Step<Input>>,
): JobHandler {
  return { kind, phases: phases as unknown as JobHandler['phases'] };
}

/** Thrown by a commit when the job is in other hands. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}
