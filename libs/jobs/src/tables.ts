import { type RawBuilder, sql } from 'kysely';

import type { Job, JobError, JobItem, JobState } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

/** One row of `jobs`, the truth about a job. */
export interface JobRow {
  job_id: string;
  component: string;
  kind: string;
  target: string;
  weight: 'light' | 'heavy';
  keeps: 'failures' | 'all';
  input: JsonObject;
  state: JobState;
  phase: string;
  /** Where the phase stands, as its steps keep it; null at its beginning. */
  cursor: unknown;
  done: number;
  total: number | null;
  failed_items: number;
  skipped_items: number;
  result: JsonObject;
  requested_by: string;
  /** SHA-256 of the key. */
  idempotency_key: string | null;
  parent_id: string | null;
  /** Of the request that started the job: every line that is logged for the job has it as well. */
  trace_id: string | null;
  /** The span that started the job, if that was traced. */
  trace_parent: string | null;
  /** Grows whenever the job changes hands: who has an older one may write nothing. */
  epoch: number;
  /** Grows with every change. */
  version: number;
  attempts: number;
  is_retry: boolean;
  last_error: JobError | null;
  /** Time spent in steps, in ms. */
  busy_ms: number;
  /** A queued job is not begun before this time. */
  not_before: number;
  /** Until then the runner is taken to be alive. */
  lease_until: number;
  created_ts: number;
  started_ts: number | null;
  updated_ts: number;
  finished_ts: number | null;
}

export interface JobTables {
  jobs: JobRow;
  job_items: JobItem & { job_id: string; position: number };
  job_events: { job_id: string; version: number; event: string; detail: JsonObject; ts: number };
}

/** PostgreSQL's clock in ms: one for all processes, whatever theirs say. */
export const now: RawBuilder<number> = sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** States in which a runner has the job. */
export const held = sql`('running', 'pausing', 'cancelling')`;

export function jobOf(row: JobRow): Job {
  const rate = row.done > 0 && row.busy_ms > 0 ? (row.done * 1000) / row.busy_ms : null;
  const isOver = row.finished_ts !== null;
  const left = row.total === null ? null : Math.max(0, row.total - row.done);
  return {
    jobId: row.job_id,
    component: row.component,
    kind: row.kind,
    target: row.target,
    input: row.input,
    state: row.state,
    phase: row.phase,
    done: row.done,
    total: row.total,
    failedItems: row.failed_items,
    skippedItems: row.skipped_items,
    result: row.result,
    requestedBy: row.requested_by,
    parentId: row.parent_id,
    attempts: row.attempts,
    lastError: row.last_error,
    createdTs: row.created_ts,
    startedTs: row.started_ts,
    updatedTs: row.updated_ts,
    finishedTs: row.finished_ts,
    itemsPerSecond: rate,
    estimatedEndTs:
      isOver || rate === null || left === null ? null : row.updated_ts + Math.ceil((left / rate) * 1000),
    version: row.version,
  };
}
