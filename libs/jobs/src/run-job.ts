import { isMatrixError } from '@seneschal/matrix';
import type { JobError } from '@seneschal/contracts';
import { traced } from '@seneschal/observability';

import type { Run, RunDeps } from './context.ts';
import { Fenced, type JobHandler, type StepAnswer } from './handler.ts';
import { enterPhase, finish, pause, requeue } from './runs.ts';
import type { JobRow } from './tables.ts';

/** How a run ended: with the job, or with its row given back. */
export type Outcome =
  | { kind: 'finished'; row: JobRow }
  | { kind: 'requeued'; delayMs: number }
  | { kind: 'paused' }
  | { kind: 'fenced' };

export interface RunPolicy {
  /** Asked between two steps. */
  isStopping(): boolean;
  /** Attempts at one step before the job fails. */
  maximumAttempts: number;
  /** The wait before the second attempt; it doubles from then on. */
  backOffMs: number;
}

const longestBackOffMs = 30_000;
const internal: JobError = { status: 500, errcode: 'M_UNKNOWN', error: 'Internal server error.' };

/**
 * Runs a job that was claimed, step by step, until it has ended, is to be left, or is in other hands. Rejects
 * only when the database cannot be reached: then the lease runs out, and the job is taken up again.
 */
export async function runJob(
  run: Run,
  handler: JobHandler | undefined,
  deps: RunDeps,
  policy: RunPolicy,
): Promise<Outcome> {
  const { row } = run;
  const input = handler?.kind.input.safeParse(row.input);
  const refusal = refusalOf(row, handler, input?.success === true);
  if (refusal !== undefined || handler === undefined || input?.data === undefined) {
    return fail(run, deps, refusal ?? internal);
  }
  for (;;) {
    const left = await leaveIfAsked(run, deps, policy);
    if (left !== undefined) return left;
    let answer: StepAnswer;
    try {
      const isLastAttempt = row.attempts + 1 >= policy.maximumAttempts;
      const context = run.context(input.data, { isLastAttempt });
      answer = await traced(`step ${row.kind}.${row.phase}`, {}, async () => {
        return (await handler.phases[row.phase]?.(context)) ?? 'done';
      });
    } catch (error) {
      const outcome = await afterError(run, deps, policy, error);
      if (outcome !== undefined) return outcome;
      continue;
    }
    if (answer === 'again') continue;
    if (answer !== 'done') return giveBack(run, deps, answer.waitMs);
    const next = handler.kind.phases[handler.kind.phases.indexOf(row.phase) + 1];
    if (next === undefined) return end(run, deps, 'ended');
    if (!(await enterPhase(deps.db, run.row, next))) return { kind: 'fenced' };
    row.phase = next;
    row.cursor = null;
    deps.changed(row.job_id);
  }
}

function refusalOf(row: JobRow, handler: JobHandler | undefined, isInputGood: boolean): JobError | undefined {
  const error = (text: string): JobError => ({ ...internal, error: text });
  if (handler === undefined) return error(`Nothing here runs jobs of the kind ${row.kind}.`);
  if (!isInputGood) return error('The input of the job has the wrong shape.');
  return handler.phases[row.phase] === undefined ? error(`There is no phase ${row.phase}.`) : undefined;
}

/** What is looked at between two steps. */
async function leaveIfAsked(run: Run, deps: RunDeps, policy: RunPolicy): Promise<Outcome | undefined> {
  if (run.row.state === 'cancelling') return end(run, deps, 'cancelled');
  if (run.row.state === 'pausing') {
    return (await pause(deps.db, run.row)) ? { kind: 'paused' } : { kind: 'fenced' };
  }
  return policy.isStopping() ? giveBack(run, deps, 0, { event: 'handed_over' }) : undefined;
}

async function end(run: Run, deps: RunDeps, state: 'ended' | 'cancelled'): Promise<Outcome> {
  const row = await finish(deps.db, run.row, { state });
  return row === undefined ? { kind: 'fenced' } : { kind: 'finished', row };
}

async function fail(run: Run, deps: RunDeps, error: JobError): Promise<Outcome> {
  const row = await finish(deps.db, run.row, { state: 'failed', error });
  return row === undefined ? { kind: 'fenced' } : { kind: 'finished', row };
}

async function giveBack(
  run: Run,
  deps: RunDeps,
  delayMs: number,
  why: { event?: string; error?: JobError } = {},
): Promise<Outcome> {
  const given = await requeue(deps.db, run.row, { delayMs, ...why });
  return given ? { kind: 'requeued', delayMs } : { kind: 'fenced' };
}

/** Undefined when the step was only broken off, so that there is something to be looked at. */
async function afterError(
  run: Run,
  deps: RunDeps,
  policy: RunPolicy,
  error: unknown,
): Promise<Outcome | undefined> {
  if (error instanceof Fenced) return { kind: 'fenced' };
  const isAsked = policy.isStopping() || run.row.state !== 'running';
  if (run.abort.signal.aborted && isAsked) return undefined;
  const told = isMatrixError(error)
    ? { status: error.status, errcode: error.errcode, error: error.message }
    : internal;
  if (isMatrixError(error) && error.status < 500 && error.status !== 429) return fail(run, deps, told);
  const { job_id: jobId, kind, phase, attempts } = run.row;
  deps.logger.error({ jobId, kind, phase, attempts: attempts + 1, error }, 'a step of a job failed');
  if (attempts + 1 >= policy.maximumAttempts) return fail(run, deps, told);
  const delayMs = Math.min(longestBackOffMs, policy.backOffMs * 2 ** attempts);
  return giveBack(run, deps, delayMs, { event: 'attempt_failed', error: told });
}
