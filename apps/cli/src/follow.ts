import { setTimeout as wait } from 'node:timers/promises';

import type { Client } from './client.ts';
import { CliError, exitCodes, Refused } from './exit-codes.ts';
import { asJob, isFinished, type Job, jobsPath } from './jobs.ts';
import { readEvents } from './sse.ts';

export interface Following {
  onJob: (job: Job) => void;
  signal: AbortSignal;
  /** Waits between two attempts, and between two polls. */
  pauseMs?: number;
  /** So long the server may be away before it counts as unreachable. */
  patienceMs?: number;
}

/** Attempts at the events without anything new in between; then the job is polled. */
const attempts = 3;

/**
 * Follows a job to its end by its events, from the last one seen on when the connection breaks, and by asking
 * again and again where there are none. Throws Refused, CliError when the server stays away, and when
 * interrupted; the job goes on in each case.
 */
export async function followJob(client: Client, jobId: string, following: Following): Promise<Job> {
  const { signal, pauseMs = 1000 } = following;
  const state: State = { lastId: '', failures: 0 };
  while (state.failures < attempts) {
    const found = await byEvents(client, jobId, following, state);
    if (found !== undefined) return found;
    state.failures += 1;
    await wait(pauseMs / 4, undefined, { signal }).catch(interrupted);
  }
  return byPolling(client, jobId, following, pauseMs);
}

interface State {
  /** Of the last progress; empty before the first. */
  lastId: string;
  failures: number;
}

/** The finished job, or undefined when the events ended before it did. */
async function byEvents(
  client: Client,
  jobId: string,
  { onJob, signal }: Following,
  state: State,
): Promise<Job | undefined> {
  try {
    const response = await client.open('GET', `${jobsPath}/${encodeURIComponent(jobId)}/events`, {
      headers: {
        Accept: 'text/event-stream',
        ...(state.lastId === '' ? {} : { 'Last-Event-ID': state.lastId }),
      },
      signal,
    });
    if (response.body === null) return undefined;
    for await (const { id, event, data } of readEvents(response.body, signal)) {
      const job = event === 'progress' ? asJob(JSON.parse(data)) : undefined;
      if (job === undefined) continue;
      // Other events have the ID of the progress that follows them, which is not to be missed.
      state.lastId = id;
      state.failures = 0;
      onJob(job);
      if (isFinished(job)) return job;
    }
    return signal.aborted ? interrupted() : undefined;
  } catch (error) {
    if (signal.aborted) return interrupted();
    if (error instanceof CliError && !(error instanceof Refused) && state.lastId === '') throw error;
    // A server without these events still has the job; who may not read it is told so.
    if (error instanceof Refused && error.errcode !== 'M_UNRECOGNIZED' && error.status < 500) throw error;
    return undefined;
  }
}

async function byPolling(
  client: Client,
  jobId: string,
  { onJob, signal, patienceMs = 60_000 }: Following,
  pauseMs: number,
): Promise<Job> {
  let lastAnswer = performance.now();
  for (;;) {
    try {
      const { body } = await client.call('GET', `${jobsPath}/${encodeURIComponent(jobId)}`, { signal });
      const job = asJob(body);
      if (job === undefined)
        throw new CliError(exitCodes.refused, 'The server answered with something that is no job.');
      onJob(job);
      if (isFinished(job)) return job;
      lastAnswer = performance.now();
    } catch (error) {
      if (signal.aborted) return interrupted();
      const isAway = error instanceof CliError && error.code === exitCodes.unreachable;
      if (!isAway || performance.now() - lastAnswer > patienceMs) throw error;
    }
    await wait(pauseMs, undefined, { signal }).catch(interrupted);
  }
}

function interrupted(): never {
  throw new CliError(exitCodes.interrupted, 'Interrupted.');
}
