import { createHash, randomBytes } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { JobKind } from '@seneschal/contracts';
import { invalidParam, tooLarge, unknown } from '@seneschal/matrix';
import { activeSpan, activeTraceId } from '@seneschal/observability';

import { type JobRow, type JobTables, now } from './tables.ts';

export interface StartOptions {
  /** Who asked for it, such as the administrator's user ID. */
  requestedBy: string;
  /** Starts of the same kind by the same requester with the same key are one job, for as long as it is kept. */
  idempotencyKey?: string | undefined;
  /** The job that this one is a part of; it is woken when this one ends. */
  parentId?: string | undefined;
}

/** An input above this is refused: what is large belongs into a table or a file. */
const largestInput = 1024 * 1024;

/**
 * Writes the row of a new job, or finds the one under way of the same kind and target, or the one with the
 * same idempotency key. Throws M_TOO_LARGE, and M_INVALID_PARAM when the key was used for something else.
 */
export async function insertJob<Input extends object>(
  db: Kysely<JobTables>,
  kind: JobKind<Input>,
  given: Input,
  options: StartOptions,
): Promise<{ row: JobRow; isNew: boolean }> {
  const input = kind.input.parse(given);
  const text = JSON.stringify(input);
  if (Buffer.byteLength(text) > largestInput) throw tooLarge('The input of the job is too large.');
  const target = kind.target(input);
  const key = options.idempotencyKey === undefined ? null : digest(options.idempotencyKey);
  // A job that is in the way may end, and another begin, between two looks.
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const row = await insert(db, kind, { target, text, key, options });
    if (row !== undefined) return { row, isNew: true };
    const before = await find(db, kind.name, target, options.requestedBy, key);
    if (before === undefined) continue;
    if (before.idempotency_key === key && key !== null && before.target !== target) {
      throw invalidParam('This Idempotency-Key was used for something else.');
    }
    return { row: before, isNew: false };
  }
  throw unknown(503, 'The job could not be started. Try again in a moment.');
}

interface NewJob {
  target: string;
  text: string;
  key: string | null;
  options: StartOptions;
}

async function insert<Input extends object>(
  db: Kysely<JobTables>,
  kind: JobKind<Input>,
  { target, text, key, options }: NewJob,
): Promise<JobRow | undefined> {
  const result = await sql<JobRow>`
    INSERT INTO jobs (job_id, component, kind, target, weight, keeps, input, state, phase, requested_by,
      idempotency_key, parent_id, trace_id, trace_parent, created_ts, updated_ts)
    VALUES (${randomBytes(12).toString('hex')}, ${kind.component}, ${kind.name}, ${target}, ${kind.weight},
      ${kind.keeps}, ${text}::jsonb, 'queued', ${kind.phases[0]}, ${options.requestedBy}, ${key},
      ${options.parentId ?? null}, ${activeTraceId() ?? null},
      ${activeSpan()?.traceParent ?? null}, ${now}, ${now})
    ON CONFLICT DO NOTHING RETURNING *
  `.execute(db);
  return result.rows[0];
}

async function find(
  db: Kysely<JobTables>,
  kind: string,
  target: string,
  requestedBy: string,
  key: string | null,
): Promise<JobRow | undefined> {
  const result = await sql<JobRow>`
    SELECT * FROM jobs WHERE kind = ${kind} AND requested_by = ${requestedBy} AND idempotency_key = ${key}
    UNION ALL
    SELECT * FROM jobs WHERE kind = ${kind} AND target = ${target} AND finished_ts IS NULL
    LIMIT 1
  `.execute(db);
  return result.rows[0];
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
