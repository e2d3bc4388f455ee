import type { Config } from '@seneschal/config';
import { isFinished, type Job, type JobError, type JobKind, type JobReads } from '@seneschal/contracts';
import { type EndpointRequest, jobHeader, Reply } from '@seneschal/http';
import type { Item, Jobs } from '@seneschal/jobs';
import { invalidParam, isMatrixError, MatrixError } from '@seneschal/matrix';
import { z } from 'zod';

import { jobAnswer, path, toAnswer } from './endpoints/jobs/shapes.ts';

export interface LongCallDeps {
  jobs: Pick<Jobs, 'start' | 'wait'>;
  config: Pick<Config, 'job_wait'>;
}

/** What a long call looks at in its request. */
export type LongRequest = Pick<
  EndpointRequest<unknown, unknown, unknown, { userId: string }>,
  'requester' | 'header' | 'signal'
>;

export interface LongCall<Input extends object> {
  kind: JobKind<Input>;
  input: Input;
  /** The body of the answer, once the job has gone to its end: the state is `completed` or `partial`. */
  answer(job: Job): object | Promise<object>;
}

/** For `otherAnswers` of the endpoint. */
export const longCallAnswers: Record<number, z.ZodType> = { 202: jobAnswer };

/**
 * Answers a call that is a job: starts it, or finds the one under way, waits for it and answers what came of
 * it; or 202 with the job, at once with `Prefer: respond-async` and else when the wait gets too long. The
 * header Seneschal-Job-Id is on every answer. Throws what the job failed of.
 */
export async function longCall<Input extends object>(
  deps: LongCallDeps,
  request: LongRequest,
  call: LongCall<Input>,
): Promise<Reply> {
  const { jobId } = await deps.jobs.start(call.kind, call.input, {
    requestedBy: request.requester.userId,
    idempotencyKey: idempotencyKeyOf(request),
  });
  const { isAsync, waitMs } = preferenceOf(request, deps.config.job_wait);
  const job = await deps.jobs.wait(jobId, waitMs, request.signal);
  const headers = { [jobHeader]: jobId };
  if (job === undefined) throw ended('The job is not known any more.', jobId);
  if (!isFinished(job.state) || (isAsync && waitMs === 0)) {
    const applied = isAsync ? { 'Preference-Applied': 'respond-async' } : {};
    return new Reply(202, toAnswer(job), { ...headers, Location: `${path}/${jobId}`, ...applied });
  }
  if (job.state === 'cancelled') throw ended('The job was cancelled.', jobId);
  if (job.state === 'failed') throw failure(job);
  return new Reply(200, await call.answer(job), headers);
}

export interface ShortCall<Input extends object> {
  kind: JobKind<Input>;
  input: Input;
  /** Does it, and answers the body with what became of each item. */
  run: () => Promise<{ body: object; items: readonly Item[] }>;
}

/**
 * Answers a call of which there is so little to do that no job is started: what was done is kept as a job that has
 * ended, so that it is known, listed and retried as any other. What is refused outright is none.
 */
export async function shortCall<Input extends object>(
  { jobs }: { jobs: Pick<Jobs, 'record'> },
  { requester }: Pick<LongRequest, 'requester'>,
  { kind, input, run }: ShortCall<Input>,
): Promise<Reply> {
  const started = performance.now();
  const keep = (items: readonly Item[], error?: JobError): Promise<string> =>
    jobs.record(kind, input, {
      requestedBy: requester.userId,
      items,
      tookMs: performance.now() - started,
      ...(error === undefined ? {} : { error }),
    });
  try {
    const { body, items } = await run();
    return new Reply(200, body, { [jobHeader]: await keep(items) });
  } catch (error) {
    if (!isMatrixError(error) || error.status < 500) throw error;
    const { status, errcode, message } = error;
    const jobId = await keep([], { status, errcode, error: message });
    throw new MatrixError(status, errcode, message, { ...error.fields, job_id: jobId });
  }
}

function failure({ jobId, lastError }: Job): MatrixError {
  const { status, errcode, error } = lastError ?? { status: 500, errcode: 'M_UNKNOWN', error: 'It failed.' };
  return new MatrixError(status, errcode, error, { job_id: jobId });
}

function ended(message: string, jobId: string): MatrixError {
  return new MatrixError(409, 'M_UNKNOWN', message, { job_id: jobId });
}

/** Throws M_INVALID_PARAM unless the key is 1 to 255 printable characters. */
export function idempotencyKeyOf({ header }: Pick<LongRequest, 'header'>): string | undefined {
  const key = header('idempotency-key');
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidParam('Idempotency-Key: is 1 to 255 printable ASCII characters.');
  }
  return key;
}

/** Whether the caller would rather be answered with the job (RFC 7240: `respond-async`, `wait=SECONDS`). */
export function preferenceOf(
  { header }: Pick<LongRequest, 'header'>,
  longestMs: number,
): { isAsync: boolean; waitMs: number } {
  const preferences = (header('prefer') ?? '').toLowerCase().split(/\s*[,;]\s*/);
  const isAsync = preferences.includes('respond-async');
  const wait = preferences.map((one) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(one)?.[1]).find(Boolean);
  const wanted = wait === undefined ? (isAsync ? 0 : longestMs) : Number(wait) * 1000;
  return { isAsync, waitMs: Math.min(wanted, longestMs) };
}

/** What a call would do: exact counts, and how long it is likely to take going by earlier jobs of the kind. */
export const rehearsalAnswer = z.object({
  dry_run: z.literal(true),
  counts: z.record(z.string(), z.number()),
  /** Null while no job of the kind has ended. */
  estimated_ms: z.number().nullable(),
});
export type Rehearsal = z.infer<typeof rehearsalAnswer>;

/** What every rehearsal counts; what a call has nothing to do with is 0. */
const nothing = {
  events: 0,
  state: 0,
  users: 0,
  aliases: 0,
  reports: 0,
  index_documents: 0,
  remote_servers: 0,
  bytes: 0,
};

/** @param items how many of the items that the kind counts as `done` there are */
export async function rehearse(
  jobs: { reads: Pick<JobReads, 'pace'> },
  kind: Pick<JobKind, 'name'>,
  counts: Record<string, number>,
  items: number,
): Promise<Rehearsal> {
  const pace = await jobs.reads.pace(kind.name);
  return {
    dry_run: true,
    counts: { ...nothing, ...counts },
    estimated_ms: pace === undefined ? null : Math.round(pace * items),
  };
}
