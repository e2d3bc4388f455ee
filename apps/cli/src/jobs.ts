import { z } from 'zod';

/** What this program looks at of a job. */
const job = z.looseObject({
  job_id: z.string(),
  kind: z.string(),
  target: z.string(),
  state: z.string(),
  phase: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  failed_items: z.number(),
  last_error: z.object({ errcode: z.string(), error: z.string() }).nullable(),
  items_per_second: z.number().nullable(),
  estimated_end_ts: z.number().nullable(),
});
export type Job = z.infer<typeof job>;

export const jobsPath = '/_seneschal/v1/jobs';

const finished = new Set(['cancelled', 'completed', 'partial', 'failed']);

export function isFinished({ state }: Job): boolean {
  return finished.has(state);
}

/** Undefined for what is no job. */
export function asJob(value: unknown): Job | undefined {
  const result = job.safeParse(value);
  return result.success ? result.data : undefined;
}
