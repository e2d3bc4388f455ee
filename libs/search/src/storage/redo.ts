import { type Kysely, sql } from 'kysely';

import type { IndexRef } from '../engines/engine.ts';
import type { SearchTables } from './tables.ts';

type Kind = SearchTables['search_redo']['kind'];

/** Notes what an index that is being built has to look at again. */
export async function insertRedo(
  db: Kysely<SearchTables>,
  { generation }: IndexRef,
  kind: Kind,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    INSERT INTO search_redo (generation, kind, id)
    SELECT ${generation}, ${kind}, id FROM unnest(${[...ids]}::text[]) AS new (id) ON CONFLICT DO NOTHING
  `.execute(db);
}

/** Takes notes off the list, `limit` at the most. */
export async function takeRedo(
  db: Kysely<SearchTables>,
  { generation }: IndexRef,
  kind: Kind,
  limit: number,
): Promise<string[]> {
  const result = await sql<{ id: string }>`
    DELETE FROM search_redo WHERE generation = ${generation} AND kind = ${kind} AND id IN (
      SELECT id FROM search_redo WHERE generation = ${generation} AND kind = ${kind} ORDER BY id LIMIT ${limit}
    ) RETURNING id
  `.execute(db);
  return result.rows.map((row) => row.id);
}

/** Whether anything of a kind is on the list. */
export async function hasRedo(
  db: Kysely<SearchTables>,
  { generation }: IndexRef,
  kind: Kind,
): Promise<boolean> {
  const result = await sql`
    SELECT 1 FROM search_redo WHERE generation = ${generation} AND kind = ${kind} LIMIT 1
  `.execute(db);
  return result.rows.length > 0;
}
