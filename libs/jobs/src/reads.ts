import { type Kysely, sql } from 'kysely';

import type { Job, JobEvent, JobItem, JobOutcome, JobReads, Page } from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import { invalidParam } from '@seneschal/matrix';

import { jobOf, type JobTables } from './tables.ts';

/** Jobs as administrators see them, read in the process of the caller. */
export function jobsReads(database: Database): JobReads {
  const db = database.tables<JobTables>();
  return {
    list: (filter, page) => list(db, filter, page),
    get: async (jobId) => {
      const row = await db.selectFrom('jobs').selectAll().where('job_id', '=', jobId).executeTakeFirst();
      return row && jobOf(row);
    },
    items: (jobId, filter, page) => items(db, jobId, filter, page),
    outcome: (jobId) => outcome(db, jobId),
    events: (jobId, after) => events(db, jobId, after),
    pace: (kind) => pace(db, kind),
  };
}

async function list(
  db: Kysely<JobTables>,
  filter: Parameters<JobReads['list']>[0],
  { from, limit }: Parameters<JobReads['list']>[1],
): Promise<Page<Job>> {
  let query = db.selectFrom('jobs').selectAll().orderBy('created_ts', 'desc').orderBy('job_id', 'desc');
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.target !== undefined) query = query.where('target', '=', filter.target);
  if (filter.requestedBy !== undefined) query = query.where('requested_by', '=', filter.requestedBy);
  if (filter.parentId !== undefined) query = query.where('parent_id', '=', filter.parentId);
  if (from !== undefined) {
    const { ts, id } = parsePlace(from);
    query = query.where(sql<boolean>`(created_ts, job_id) < (${ts}::bigint, ${id}::text)`);
  }
  const rows = await query.limit(limit + 1).execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const jobs = rows.slice(0, limit).map(jobOf);
  return last === undefined ? { rows: jobs } : { rows: jobs, next: `${last.created_ts}_${last.job_id}` };
}

function parsePlace(from: string): { ts: string; id: string } {
  const [, ts, id] = /^(\d{1,15})_([\w-]{1,64})$/.exec(from) ?? [];
  if (ts === undefined || id === undefined) throw invalidParam('from: is not a next_batch of this list.');
  return { ts, id };
}

async function items(
  db: Kysely<JobTables>,
  jobId: string,
  filter: Parameters<JobReads['items']>[1],
  { from, limit }: Parameters<JobReads['items']>[2],
): Promise<Page<JobItem>> {
  if (from !== undefined && !/^\d{1,15}$/.test(from)) {
    throw invalidParam('from: is not a next_batch of this list.');
  }
  // What is being done again has failed before.
  const result = await sql<JobItem & { position: number }>`
    SELECT phase, item, CASE state WHEN 'retry' THEN 'failed' ELSE state END AS state, reason, position
    FROM job_items
    WHERE job_id = ${jobId} AND position > ${from ?? '0'}::bigint
      AND (${filter.state ?? null}::text IS NULL OR CASE state WHEN 'retry' THEN 'failed' ELSE state END = ${filter.state ?? null})
    ORDER BY position LIMIT ${limit + 1}
  `.execute(db);
  const { rows } = result;
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const page = rows.slice(0, limit).map(({ phase, item, state, reason }) => ({ phase, item, state, reason }));
  return last === undefined ? { rows: page } : { rows: page, next: String(last.position) };
}

/** As one row of JSON, which costs a fraction of as many rows as there are items. */
async function outcome(db: Kysely<JobTables>, jobId: string): Promise<JobOutcome> {
  const result = await sql<{ done: string[] | null; failed: JobOutcome['failed'] | null }>`
    SELECT json_agg(item ORDER BY position) FILTER (WHERE state = 'done') AS done,
      json_agg(json_build_object('item', item, 'reason', coalesce(reason, '')) ORDER BY position)
        FILTER (WHERE state IN ('failed', 'retry')) AS failed
    FROM job_items WHERE job_id = ${jobId}
  `.execute(db);
  const [row] = result.rows;
  return { done: row?.done ?? [], failed: row?.failed ?? [] };
}

const mostEvents = 1000;

async function events(db: Kysely<JobTables>, jobId: string, after: number): Promise<JobEvent[]> {
  return db
    .selectFrom('job_events')
    .select(['version', 'event', 'detail', 'ts'])
    .where('job_id', '=', jobId)
    .where('version', '>', after)
    .orderBy('version')
    .limit(mostEvents)
    .execute();
}

async function pace(db: Kysely<JobTables>, kind: string): Promise<number | undefined> {
  const result = await sql<{ pace: number | null }>`
    SELECT (sum(busy_ms) / nullif(sum(done), 0))::float8 AS pace FROM (
      SELECT busy_ms, done FROM jobs
      WHERE kind = ${kind} AND finished_ts IS NOT NULL AND done > 0 ORDER BY created_ts DESC LIMIT 20
    ) AS latest
  `.execute(db);
  return result.rows[0]?.pace ?? undefined;
}
