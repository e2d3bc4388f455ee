import { isFinished } from '@seneschal/contracts';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { invalidParam } from '@seneschal/matrix';
import { z } from 'zod';

import { found, jobParams, path, toAnswer, toHistory, toServerSent } from './shapes.ts';

interface Deps {
  jobs: Pick<Jobs, 'reads' | 'changeAfter' | 'isStopped'>;
}

/** So often something is sent, so that no proxy takes the connection to be dead. */
const keepAliveMs = 15_000;

/**
 * A job as server-sent events (HTML standard, "Server-sent events"), until it is finished: what happened to it,
 * each under its own name, and `progress` with the whole job whenever that has changed. IDs are versions of the
 * job, so a client that comes back with Last-Event-ID misses nothing.
 */
export const jobEvents = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:jobId/events`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    // A client that follows a job asks again and again, and changes nothing.
    audit: false,
    summary: 'Follows a job by server-sent events, from Last-Event-ID on',
    params: jobParams,
    answer: z.object({}),
    produces: 'text/event-stream',
    handle: async (request) => {
      const { jobId } = request.params;
      const after = request.header('last-event-id') ?? '0';
      if (!/^\d{1,15}$/.test(after)) throw invalidParam('Last-Event-ID: is not an ID of these events.');
      found(await deps.jobs.reads.get(jobId));
      return new Reply(200, follow(deps, jobId, Number(after), request.signal), {
        'X-Accel-Buffering': 'no',
      });
    },
  });

async function* follow(
  { jobs }: Deps,
  jobId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let seen = after;
  while (!signal.aborted && !jobs.isStopped) {
    // Before its history, which then has everything up to this version.
    const job = await jobs.reads.get(jobId);
    if (job === undefined) return;
    yield* historyOf(jobs, jobId, seen, job.version);
    if (job.version > seen) yield toServerSent(job.version, 'progress', toAnswer(job));
    seen = Math.max(seen, job.version);
    if (isFinished(job.state)) return;
    await jobs.changeAfter(jobId, seen, keepAliveMs, signal);
    yield ':\n\n';
  }
}

/** What happened after one version and up to another. */
async function* historyOf(
  { reads }: Deps['jobs'],
  jobId: string,
  after: number,
  upTo: number,
): AsyncGenerator<string> {
  for (let seen = after; seen < upTo;) {
    const page = (await reads.events(jobId, seen)).filter(({ version }) => version <= upTo);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(toHistory).join('');
    seen = last.version;
  }
}
