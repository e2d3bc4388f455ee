import { createHash } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { SyncapiTables } from './tables.ts';

/** Stores a filter in canonical JSON; the same filter of the same user keeps its ID. */
export async function insertFilter(
  db: Kysely<SyncapiTables>,
  userId: string,
  filter: string,
): Promise<number> {
  const digest = createHash('sha256').update(filter).digest();
  const result = await sql<{ filter_id: number }>`
    INSERT INTO syncapi_filters (user_id, digest, filter, created_ts)
    VALUES (${userId}, ${digest}, ${filter}, ${Date.now()})
    ON CONFLICT (user_id, digest) DO UPDATE SET digest = EXCLUDED.digest RETURNING filter_id
  `.execute(db);
  return result.rows[0]?.filter_id ?? 0;
}

export async function selectFilter(
  db: Kysely<SyncapiTables>,
  userId: string,
  filterId: number,
): Promise<string | undefined> {
  const result = await sql<{ filter: string }>`
    SELECT filter FROM syncapi_filters WHERE filter_id = ${filterId} AND user_id = ${userId}
  `.execute(db);
  return result.rows[0]?.filter;
}
