import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { AuditEntry, AuditFilter, AuditReads, AuditRow } from '@seneschal/contracts';
import type { Database } from '@seneschal/database';

interface Row {
  position: number;
  entry: string;
  hash: Buffer;
}

/** Everything that may be read of the audit log, in the caller's process. */
export function auditReads(database: Database): AuditReads {
  const db = database.tables<unknown>();
  return { page: (filter, page) => readPage(db, filter, page), head: () => head(db) };
}

async function readPage(
  db: Kysely<unknown>,
  filter: AuditFilter,
  { from, limit, newestFirst }: Parameters<AuditReads['page']>[1],
): Promise<AuditRow[]> {
  const conditions = conditionsOf(filter);
  if (from !== undefined) conditions.push(newestFirst ? sql`position < ${from}` : sql`position > ${from}`);
  // One target has few rows: they are found by its index and then sorted, not by walking the whole log.
  const order = filter.target === undefined ? sql`position` : sql`position + 0`;
  const found = await sql<Row>`
    SELECT position, entry, hash FROM audit_log WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${order} ${newestFirst ? sql`DESC` : sql`ASC`} LIMIT ${limit}
  `.execute(db);
  return found.rows.map((row) => ({
    position: row.position,
    entry: JSON.parse(row.entry) as AuditEntry,
    hash: row.hash.toString('base64url'),
  }));
}

function conditionsOf({ actor, action, target, status, since, until }: AuditFilter): RawBuilder<unknown>[] {
  const conditions = [sql`true`];
  if (actor !== undefined) conditions.push(sql`actor = ${actor}`);
  if (action !== undefined) conditions.push(sql`action = ${action}`);
  if (target !== undefined) conditions.push(sql`targets @> ${[target]}::text[]`);
  if (status !== undefined) conditions.push(sql`status = ${status}`);
  if (since !== undefined) conditions.push(sql`ts >= ${since}`);
  if (until !== undefined) conditions.push(sql`ts < ${until}`);
  return conditions;
}

async function head(db: Kysely<unknown>): Promise<{ position: number; hash: string }> {
  const found = await sql<{ position: number; hash: Buffer }>`SELECT position, hash FROM audit_head`.execute(
    db,
  );
  const row = found.rows[0];
  if (row === undefined) throw new Error('The audit log has no head.');
  return { position: row.position, hash: row.hash.toString('base64url') };
}

/** All rows of a filter, oldest first, read page by page as they are taken. */
export async function* exportRows(
  reads: Pick<AuditReads, 'page'>,
  filter: AuditFilter,
  pageSize = 500,
): AsyncGenerator<AuditRow> {
  for (let from: number | undefined = 0; from !== undefined;) {
    const rows: AuditRow[] = await reads.page(filter, { from, limit: pageSize, newestFirst: false });
    yield* rows;
    from = rows.length < pageSize ? undefined : rows.at(-1)?.position;
  }
}
