import { type Kysely, sql } from 'kysely';

import type { SearchTables } from './tables.ts';

export interface Edit {
  editId: string;
  targetId: string;
  roomId: string;
}

/** Remembers edits; answers those that were not known before. */
export async function insertEdits(db: Kysely<SearchTables>, edits: readonly Edit[]): Promise<Set<string>> {
  if (edits.length === 0) return new Set();
  const result = await sql<{ edit_id: string }>`
    INSERT INTO search_edits (edit_id, target_id, room_id)
    SELECT * FROM unnest(
      ${edits.map((edit) => edit.editId)}::text[], ${edits.map((edit) => edit.targetId)}::text[],
      ${edits.map((edit) => edit.roomId)}::text[])
    ON CONFLICT DO NOTHING RETURNING edit_id
  `.execute(db);
  return new Set(result.rows.map((row) => row.edit_id));
}

/** The edits of events, by the event. */
export async function editsOf(
  db: Kysely<SearchTables>,
  targetIds: readonly string[],
): Promise<Map<string, string[]>> {
  const edits = new Map<string, string[]>();
  if (targetIds.length === 0) return edits;
  const result = await sql<{ edit_id: string; target_id: string }>`
    SELECT edit_id, target_id FROM search_edits WHERE target_id = ANY(${[...targetIds]}::text[])
  `.execute(db);
  for (const row of result.rows) {
    edits.set(row.target_id, [...(edits.get(row.target_id) ?? []), row.edit_id]);
  }
  return edits;
}

/** What the events among these that are edits have edited. */
export async function targetsOf(db: Kysely<SearchTables>, editIds: readonly string[]): Promise<string[]> {
  if (editIds.length === 0) return [];
  const result = await sql<{ target_id: string }>`
    SELECT target_id FROM search_edits WHERE edit_id = ANY(${[...editIds]}::text[])
  `.execute(db);
  return result.rows.map((row) => row.target_id);
}

export async function deleteEditsOfRoom(db: Kysely<SearchTables>, roomId: string): Promise<void> {
  await sql`DELETE FROM search_edits WHERE room_id = ${roomId}`.execute(db);
}
