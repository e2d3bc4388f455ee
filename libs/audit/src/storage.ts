import { type Kysely, sql, type Transaction } from 'kysely';

import type { AuditEntry } from '@seneschal/contracts';

import { columnsOf, hashOf } from './chain.ts';

/** Adds entries to the chain and removes their notes. Holds the lock on the head to the end of the transaction. */
export async function append(
  transaction: Transaction<unknown>,
  entries: readonly AuditEntry[],
  noteIds: readonly string[],
): Promise<void> {
  const found = await sql<{ position: number; hash: Buffer }>`
    SELECT position, hash FROM audit_head FOR UPDATE`.execute(transaction);
  let [head] = found.rows;
  if (head === undefined) throw new Error('The audit log has no head.');
  const rows = entries.map((entry) => {
    const text = JSON.stringify(entry);
    const position = (head?.position ?? 0) + 1;
    head = { position, hash: hashOf(head?.hash ?? Buffer.alloc(0), position, text) };
    return { position, entry: text, hash: `\\x${head.hash.toString('hex')}`, ...columnsOf(entry) };
  });
  await sql`
    WITH notes AS (DELETE FROM audit_pending WHERE id = ANY(${[...noteIds]}::uuid[])),
      head AS (UPDATE audit_head SET position = ${head.position}, hash = ${head.hash})
    INSERT INTO audit_log (position, ts, actor, action, targets, status, entry, hash)
    SELECT position, ts, actor, action, targets, status, entry, hash
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row (
      position bigint, ts bigint, actor text, action text, targets text[], status integer, entry text, hash bytea
    )
  `.execute(transaction);
}

export async function insertNote(
  db: Kysely<unknown>,
  note: { id: string; ts: number; entry: string },
): Promise<void> {
  await sql`INSERT INTO audit_pending (id, ts, entry) VALUES (${note.id}, ${note.ts}, ${note.entry})`.execute(
    db,
  );
}

export async function deleteNote(db: Kysely<unknown>, id: string): Promise<void> {
  await sql`DELETE FROM audit_pending WHERE id = ${id}`.execute(db);
}

/** Notes from before a time, locked so that no other process takes them too. */
export async function lockNotes(
  transaction: Transaction<unknown>,
  before: number,
  limit: number,
): Promise<{ id: string; entry: string }[]> {
  const found = await sql<{ id: string; entry: string }>`
    SELECT id, entry FROM audit_pending WHERE ts < ${before} ORDER BY ts LIMIT ${limit}
    FOR UPDATE SKIP LOCKED`.execute(transaction);
  return found.rows;
}
