import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { Item } from './handler.ts';
import type { JobRow, JobTables } from './tables.ts';

const longestReason = 500;

/**
 * The statement that keeps results of items. Of those that went well nothing is kept, unless the kind keeps
 * all or the item is one that is done again.
 * @param guard a FROM clause of one row where it stands in a larger statement that takes effect, of none when not
 */
export function itemsStatement(
  job: Pick<JobRow, 'job_id' | 'phase' | 'keeps'>,
  items: readonly Item[],
  guard: RawBuilder<unknown> = sql`FROM (SELECT) AS always`,
): RawBuilder<unknown> {
  return sql`
    INSERT INTO job_items (job_id, phase, item, state, reason)
    SELECT ${job.job_id}::text, ${job.phase}::text, new.item, new.state, new.reason
    ${guard}, unnest(
      ${items.map((one) => one.item)}::text[], ${items.map((one) => one.state)}::text[],
      ${items.map((one) => one.reason?.slice(0, longestReason) ?? null)}::text[]
    ) WITH ORDINALITY AS new (item, state, reason, n)
    WHERE new.state <> 'done' OR ${job.keeps === 'all'} OR EXISTS (
      SELECT FROM job_items i WHERE i.job_id = ${job.job_id} AND i.phase = ${job.phase} AND i.item = new.item)
    ORDER BY new.n
    ON CONFLICT (job_id, phase, item) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason`;
}

/** The items of a phase that are to be done again, in their order, after one of them. */
export async function itemsToRetry(
  db: Kysely<JobTables>,
  job: Pick<JobRow, 'job_id' | 'phase'>,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ item: string }>`
    SELECT item FROM job_items
    WHERE job_id = ${job.job_id} AND phase = ${job.phase} AND state = 'retry' AND item > ${after ?? ''}
    ORDER BY item LIMIT ${limit}
  `.execute(db);
  return rows.rows.map((row) => row.item);
}
