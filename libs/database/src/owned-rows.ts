import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';

/** A table whose rows belong to something, such as a room: how they are found, and in which order they go. */
export interface OwnedRows {
  readonly table: string;
  /** The column or expression that names the owner; an index begins with it, followed by `key`. */
  readonly owner: string;
  /** What makes a row unique among those of its owner. Rows are deleted in this order. */
  readonly key: readonly string[];
  /** Rows of the table that are meant, as an SQL condition; all when absent. */
  readonly where?: string;
}

/** The key of the last row of a page; null before the first. */
export type RowCursor = (string | number)[] | null;

export interface DeletedPage {
  deleted: number;
  /** Where the next page starts; undefined when no row is left behind this one. */
  next: RowCursor | undefined;
}

/**
 * Deletes a page of at most `limit` rows of one owner, from `after` on. Each page starts where the one before
 * ended, so the work of all pages together is linear: a search from the beginning would wade through the dead
 * rows of the pages before.
 */
export async function deleteOwnedPage<T>(
  db: Kysely<T> | Transaction<T>,
  rows: OwnedRows,
  owner: string | number,
  page: { after: RowCursor; limit: number },
): Promise<DeletedPage> {
  const range = sql`${ownedBy(rows, owner)} ${after(rows, page.after)}`;
  const bound = await sql<Record<string, string | number>>`
    SELECT ${columns(rows)} FROM ${sql.id(rows.table)} WHERE ${range}
    ORDER BY ${columns(rows)} OFFSET ${page.limit - 1} LIMIT 1
  `.execute(db);
  const last = bound.rows[0];
  const next = last === undefined ? undefined : rows.key.map((column) => last[column] ?? '');
  const result = await sql`
    DELETE FROM ${sql.id(rows.table)} WHERE ${range} ${next === undefined ? sql`` : sql`AND ${row(rows)} <= ${values(next)}`}
  `.execute(db);
  return { deleted: Number(result.numAffectedRows ?? 0n), next };
}

/** One owner, or several; of one kind, as the column is. */
export type Owners = string | number | readonly string[] | readonly number[];

/** How many rows an owner has, or several together. */
export async function countOwned<T>(
  db: Kysely<T> | Transaction<T>,
  rows: OwnedRows,
  owner: Owners,
): Promise<number> {
  const result = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${sql.id(rows.table)} WHERE ${ownedBy(rows, owner)}
  `.execute(db);
  return result.rows[0]?.count ?? 0;
}

function ownedBy(rows: OwnedRows, owner: Owners): RawBuilder<unknown> {
  const condition = rows.where === undefined ? sql`` : sql`AND ${sql.raw(rows.where)}`;
  if (typeof owner !== 'object') return sql`${sql.raw(rows.owner)} = ${owner} ${condition}`;
  const type = typeof owner[0] === 'number' ? sql`bigint[]` : sql`text[]`;
  return sql`${sql.raw(rows.owner)} = ANY(${[...owner]}::${type}) ${condition}`;
}

function after(rows: OwnedRows, cursor: RowCursor): RawBuilder<unknown> {
  return cursor === null ? sql`` : sql`AND ${row(rows)} > ${values(cursor)}`;
}

function columns(rows: OwnedRows): RawBuilder<unknown> {
  return sql.join(rows.key.map((column) => sql.ref(column)));
}

function row(rows: OwnedRows): RawBuilder<unknown> {
  return sql`(${columns(rows)})`;
}

function values(cursor: readonly (string | number)[]): RawBuilder<unknown> {
  return sql`(${sql.join(cursor)})`;
}

/**
 * Deletes a page over several tables, one after the other. The cursor names the table and the row where the
 * page ended, so the next one goes on there; an owner without rows costs one look at each table.
 */
export async function deleteOwned<T>(
  db: Kysely<T> | Transaction<T>,
  stores: readonly OwnedRows[],
  owner: string | number,
  page: { cursor: OwnedCursor | null; limit: number },
): Promise<{ deleted: Record<string, number>; cursor: OwnedCursor | null }> {
  const deleted: Record<string, number> = {};
  let room = page.limit;
  let index = Math.max(0, page.cursor === null ? 0 : indexOf(stores, page.cursor.store));
  let from: RowCursor = page.cursor?.after ?? null;
  for (let store = stores[index]; store !== undefined; index += 1, from = null, store = stores[index]) {
    const done = await deleteOwnedPage(db, store, owner, { after: from, limit: room });
    if (done.deleted > 0) deleted[store.table] = (deleted[store.table] ?? 0) + done.deleted;
    if (done.next !== undefined) return { deleted, cursor: { store: store.table, after: done.next } };
    room -= done.deleted;
    const following = stores[index + 1];
    if (room <= 0 && following !== undefined) {
      return { deleted, cursor: { store: following.table, after: null } };
    }
  }
  return { deleted, cursor: null };
}

/** How many rows an owner has in each store, or several owners together; stores without any are left out. */
export async function countAllOwned<T>(
  db: Kysely<T> | Transaction<T>,
  stores: readonly OwnedRows[],
  owner: Owners,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  if (typeof owner === 'object' && owner.length === 0) return counts;
  for (const store of stores) {
    const count = await countOwned(db, store, owner);
    if (count > 0) counts[store.table] = (counts[store.table] ?? 0) + count;
  }
  return counts;
}

export interface OwnedCursor {
  store: string;
  after: RowCursor;
}

function indexOf(stores: readonly OwnedRows[], name: string): number {
  return stores.findIndex(({ table }) => table === name);
}
