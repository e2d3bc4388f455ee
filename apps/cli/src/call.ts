import { randomUUID } from 'node:crypto';

import type { Answer, Client } from './client.ts';
import { CliError, exitCodes, type ExitCode, Refused } from './exit-codes.ts';
import { followJob } from './follow.ts';
import type { Host } from './host.ts';
import { asJob, isFinished, type Job, jobsPath } from './jobs.ts';
import type { CliOperation } from './operations.ts';
import { Progress } from './progress.ts';

export interface Context {
  host: Host;
  client: Client;
  /** Whether jobs are followed to their end. */
  wait: boolean;
}

/** One call with everything filled in. */
export interface Prepared {
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  body: unknown;
}

export interface Outcome {
  answer: unknown;
  code: ExitCode;
}

const jobHeader = 'seneschal-job-id';
/** What ends so soon is answered without a job to follow. */
const quickSeconds = 1;

/**
 * Makes a call, and follows the job that it is or starts to its end. The answer is that of the call itself: once
 * the job has ended the call is repeated with the same key, which finds the same job.
 */
export async function makeCall(
  context: Context,
  operation: CliOperation,
  prepared: Prepared,
): Promise<Outcome> {
  const key = randomUUID();
  const prefer = context.wait ? `wait=${quickSeconds}` : 'respond-async';
  const headers: Record<string, string> = operation.isLong ? { 'Idempotency-Key': key, Prefer: prefer } : {};
  const answer = await send(context, prepared, headers);
  const job = await jobOf(context, answer);
  if (job === undefined || isFinished(job)) return outcomeOf(answer.body, job);
  if (!context.wait) {
    context.host.stderr.write(goesOn(job.job_id));
    return { answer: answer.status === 202 ? answer.body : job, code: exitCodes.done };
  }
  const ended = await watch(context, job.job_id, job);
  const isDone = ended.state === 'completed' || ended.state === 'partial';
  if (answer.status !== 202 || !isDone) return outcomeOf(ended, ended);
  const whole = await send(context, prepared, { 'Idempotency-Key': key });
  return outcomeOf(whole.body, ended);
}

function send(
  { client }: Context,
  { method, path, query, body }: Prepared,
  headers: Record<string, string>,
): Promise<Answer> {
  return client.call(method, path, { query, headers, ...(body === undefined ? {} : { body }) });
}

/** The job that an answer is, or that its header names. */
async function jobOf({ client }: Context, { status, headers, body }: Answer): Promise<Job | undefined> {
  const jobId = headers.get(jobHeader);
  const inBody = status === 202 ? asJob(body) : undefined;
  if (inBody !== undefined || jobId === null) return inBody;
  const { body: found } = await client.call('GET', `${jobsPath}/${encodeURIComponent(jobId)}`);
  return asJob(found);
}

/** Shows a job until it ends. Ctrl-C leaves it running, and says what can be done with it. */
export async function watch({ host, client }: Context, jobId: string, known?: Job): Promise<Job> {
  const controller = new AbortController();
  const release = host.onInterrupt(() => controller.abort());
  const progress = new Progress(host.stderr);
  if (known !== undefined) progress.show(known);
  try {
    return await followJob(client, jobId, { onJob: (job) => progress.show(job), signal: controller.signal });
  } catch (error) {
    progress.end();
    if (error instanceof CliError && !(error instanceof Refused)) host.stderr.write(goesOn(jobId));
    throw error;
  } finally {
    release();
  }
}

function goesOn(jobId: string): string {
  return `The job goes on. \`seneschal jobs watch ${jobId}\` shows it, \`seneschal jobs cancel ${jobId}\` stops it.\n`;
}

/** What an answer, and the job behind it, mean for the exit code. */
export function outcomeOf(answer: unknown, job: Job | undefined): Outcome {
  if (job?.state === 'failed' || job?.state === 'cancelled') return { answer, code: exitCodes.failed };
  const isPartial = job?.state === 'partial' || hasFailures(answer);
  return { answer, code: isPartial ? exitCodes.partial : exitCodes.done };
}

function hasFailures(answer: unknown): boolean {
  const failed =
    typeof answer === 'object' && answer !== null && 'failed' in answer ? answer.failed : undefined;
  return Array.isArray(failed) ? failed.length > 0 : typeof failed === 'number' && failed > 0;
}
