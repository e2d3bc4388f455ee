import type { JsonObject } from '@seneschal/matrix';
import type { z } from 'zod';

import type { ComponentName } from './command.ts';

/**
 * Where a job stands. `queued` also while it waits for its children or for another attempt; `partial` when it
 * went to its end, but not for every item; `failed` when it could not go on.
 */
export const jobStates = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'cancelled',
  'completed',
  'partial',
  'failed',
] as const;
export type JobState = (typeof jobStates)[number];

const finished: ReadonlySet<JobState> = new Set(['cancelled', 'completed', 'partial', 'failed']);

export function isFinished(state: JobState): boolean {
  return finished.has(state);
}

/**
 * A kind of job: what it is given, what it is done to, and the phases that it goes through in order. The same
 * kind and target is never under way twice.
 */
export interface JobKind<Input extends object = object, Phase extends string = string> {
  /** Runs it, in the worker processes that host it. */
  readonly component: ComponentName;
  /** Unique over all components, and known to users. */
  readonly name: string;
  readonly input: z.ZodType<Input>;
  /** What the job is done to, such as a room ID. */
  target(input: Input): string;
  readonly phases: readonly [Phase, ...Phase[]];
  /** A worker process runs few heavy jobs at once, and several light ones beside them. */
  readonly weight: 'light' | 'heavy';
  /** Whether results are kept for all items or, as they may be millions, only for those that went wrong. */
  readonly keeps: 'failures' | 'all';
}

interface Declaration<Input extends object, Phase extends string> {
  component: ComponentName;
  name: string;
  input: z.ZodType<Input>;
  target: (input: Input) => string;
  phases: readonly [Phase, ...Phase[]];
  weight: 'light' | 'heavy';
  keeps?: 'failures' | 'all';
}

/** Declares a kind of job of one component. */
export function jobKind<Input extends object, const Phase extends string>(
  declaration: Declaration<Input, Phase>,
): JobKind<Input, Phase> {
  return { keeps: 'failures', ...declaration };
}

/** Why a job could not go on, in the shape of an error answer. */
export interface JobError {
  status: number;
  errcode: string;
  error: string;
}

/** One job as its row says. Times in ms since 1970, counts of items as the kind counts them. */
export interface Job {
  jobId: string;
  component: string;
  kind: string;
  target: string;
  input: JsonObject;
  state: JobState;
  phase: string;
  done: number;
  /** Null while it is not known. */
  total: number | null;
  failedItems: number;
  skippedItems: number;
  result: JsonObject;
  requestedBy: string;
  parentId: string | null;
  /** Failed attempts at the step under way. */
  attempts: number;
  /** What went wrong last; of a finished job, why it failed. */
  lastError: JobError | null;
  createdTs: number;
  startedTs: number | null;
  updatedTs: number;
  finishedTs: number | null;
  /** Over the time that was worked, without pauses; null while nothing is done. */
  itemsPerSecond: number | null;
  estimatedEndTs: number | null;
  /** Grows with every change. */
  version: number;
}

export interface JobFilter {
  kind?: string | undefined;
  state?: JobState | undefined;
  target?: string | undefined;
  requestedBy?: string | undefined;
  parentId?: string | undefined;
}

export interface JobItem {
  phase: string;
  item: string;
  state: 'done' | 'skipped' | 'failed';
  reason: string | null;
}

/** Something that happened to a job, such as `phase` or `taken_over`. */
export interface JobEvent {
  version: number;
  event: string;
  detail: JsonObject;
  ts: number;
}

export interface Page<T> {
  rows: T[];
  /** Where the next page starts; undefined after the last. */
  next?: string;
}

/** Reads of all jobs, newest first. `from` is a `next` of the page before; throws M_INVALID_PARAM. */
/** What became of the items of a job; what needed nothing is not among them. */
export interface JobOutcome {
  done: string[];
  failed: { item: string; reason: string }[];
}

export interface JobReads {
  list(filter: JobFilter, page: { from?: string | undefined; limit: number }): Promise<Page<Job>>;
  get(jobId: string): Promise<Job | undefined>;
  /** The results that were kept, in the order in which they came. */
  items(
    jobId: string,
    filter: { state?: JobItem['state'] | undefined },
    page: { from?: string | undefined; limit: number },
  ): Promise<Page<JobItem>>;
  /** All the results that were kept, in the order in which they came: for an answer that holds all of them. */
  outcome(jobId: string): Promise<JobOutcome>;
  /** What happened after a version, oldest first. */
  events(jobId: string, after: number): Promise<JobEvent[]>;
  /** Milliseconds of work per item in the last finished jobs of a kind; undefined when there are none. */
  pace(kind: string): Promise<number | undefined>;
}
