import { type Job, type JobEvent, type JobItem, jobStates } from '@seneschal/contracts';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

export const path = '/_seneschal/v1/jobs';

export const jobParams = z.object({ jobId: z.string() });

export const state = z.enum(jobStates, `is one of ${jobStates.join(', ')}`);

const json = z.record(z.string(), z.unknown());
const time = z.number().nullable();

/** A job as administrators see it; times in ms since 1970. */
export const jobAnswer = z.object({
  job_id: z.string(),
  kind: z.string(),
  target: z.string(),
  state,
  phase: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  failed_items: z.number(),
  skipped_items: z.number(),
  result: json,
  requested_by: z.string(),
  parent_id: z.string().nullable(),
  attempts: z.number(),
  last_error: z.object({ errcode: z.string(), error: z.string() }).nullable(),
  created_ts: z.number(),
  started_ts: time,
  updated_ts: z.number(),
  finished_ts: time,
  items_per_second: z.number().nullable(),
  estimated_end_ts: time,
});
export type JobAnswer = z.infer<typeof jobAnswer>;

export const itemAnswer = z.object({
  phase: z.string(),
  item: z.string(),
  state: z.enum(['done', 'skipped', 'failed']),
  reason: z.string().nullable(),
});

export function toAnswer(job: Job): JobAnswer {
  const error = job.lastError;
  return {
    job_id: job.jobId,
    kind: job.kind,
    target: job.target,
    state: job.state,
    phase: job.phase,
    done: job.done,
    total: job.total,
    failed_items: job.failedItems,
    skipped_items: job.skippedItems,
    result: job.result,
    requested_by: job.requestedBy,
    parent_id: job.parentId,
    attempts: job.attempts,
    last_error: error === null ? null : { errcode: error.errcode, error: error.error },
    created_ts: job.createdTs,
    started_ts: job.startedTs,
    updated_ts: job.updatedTs,
    finished_ts: job.finishedTs,
    items_per_second: job.itemsPerSecond,
    estimated_end_ts: job.estimatedEndTs,
  };
}

export function toItem({ phase, item, state: itemState, reason }: JobItem): z.infer<typeof itemAnswer> {
  return { phase, item, state: itemState, reason };
}

/** One server-sent event; its ID is a version of the job. */
export function toServerSent(version: number, event: string, data: object): string {
  return `id: ${version}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function toHistory({ version, event, detail, ts }: JobEvent): string {
  return toServerSent(version, event, { ts, ...detail });
}

/** Throws M_NOT_FOUND when there is none. */
export function found(job: Job | undefined): Job {
  if (job === undefined) throw notFound('There is no such job.');
  return job;
}
