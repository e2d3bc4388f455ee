import { type Kysely, sql } from 'kysely';

import { MatrixError } from '@seneschal/matrix';

export interface PayloadTables {
  bus_payloads: { job_id: string; input: string; created_ts: number };
}

/** What is smaller goes through Redis, with the job. */
const smallest = 256 * 1024;

/**
 * Puts the input of a job in the database when it is large; Redis would keep it in memory, and for minutes after the
 * job has ended. False when it is small enough to go with the job.
 */
export async function putApart(db: Kysely<PayloadTables>, jobId: string, input: unknown): Promise<boolean> {
  const text = JSON.stringify(input);
  if (text.length < smallest) return false;
  await sql`
    INSERT INTO bus_payloads (job_id, input, created_ts) VALUES (${jobId}, ${text}, ${Date.now()})
  `.execute(db);
  return true;
}

/** The input of a job that was put apart. 503 when a crash of the database has lost it: nothing has happened then. */
export async function takeApart(db: Kysely<PayloadTables>, jobId: string): Promise<unknown> {
  const row = await db
    .selectFrom('bus_payloads')
    .select('input')
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  if (row === undefined)
    throw new MatrixError(503, 'M_UNKNOWN', 'The input of a command was lost. Try again.');
  return JSON.parse(row.input);
}

export async function dropApart(db: Kysely<PayloadTables>, jobId: string): Promise<void> {
  await db.deleteFrom('bus_payloads').where('job_id', '=', jobId).execute();
}

/** Drops what was put apart before `before` (ms) for jobs that nobody has run, as when Redis was emptied. */
export async function dropStale(db: Kysely<PayloadTables>, before: number): Promise<void> {
  await db.deleteFrom('bus_payloads').where('created_ts', '<', before).execute();
}
