import { randomBytes } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { Migrations } from './migrate.ts';

export interface Index {
  name: string;
  table: string;
  /** The statement that makes it. */
  definition: string;
}

/** The indexes of the tables that the connection sees first. `isValid` is false for one that a crash left half-made. */
export async function storedIndexes(db: Kysely<unknown>): Promise<(Index & { isValid: boolean })[]> {
  const found = await sql<Index & { isValid: boolean; schema: string }>`
    SELECT i.relname AS name, t.relname AS "table", pg_get_indexdef(i.oid) AS definition,
      x.indisvalid AND x.indisready AS "isValid", quote_ident(n.nspname) AS schema
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
      JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = current_schema() ORDER BY i.relname
  `.execute(db);
  return found.rows.map(({ schema, definition, ...index }) => ({
    ...index,
    definition: definition.replace(` ON ${schema}.`, ' ON ').replace(` ON ONLY ${schema}.`, ' ON ONLY '),
  }));
}

/**
 * The indexes that migrations make, found out by making them: in a schema of its own, in a transaction that is
 * rolled back. So nothing has to be kept beside the migrations that could differ from them.
 */
export async function declaredIndexes(
  db: Kysely<unknown>,
  components: readonly Migrations[],
): Promise<Index[]> {
  const transaction = await db.startTransaction().execute();
  try {
    const schema = sql.id(`seneschal_check_${randomBytes(6).toString('hex')}`);
    await sql`CREATE SCHEMA ${schema}`.execute(transaction);
    await sql`SET LOCAL search_path TO ${schema}`.execute(transaction);
    for (const migrations of components) {
      for (const name of Object.keys(migrations).sort()) await migrations[name]?.up(transaction);
    }
    const made = await storedIndexes(transaction);
    return made.map(({ name, table, definition }) => ({ name, table, definition }));
  } finally {
    await transaction.rollback().execute();
  }
}

/** The migrations that the database has not seen, as `component/name`. */
export async function pendingMigrations(
  db: Kysely<unknown>,
  components: ReadonlyMap<string, Migrations>,
): Promise<string[]> {
  const names = [...components.keys()];
  const known = await sql<{ component: string }>`
    SELECT component FROM unnest(${names}::text[]) AS component
    WHERE to_regclass(quote_ident(component || '_migrations')) IS NOT NULL
  `.execute(db);
  const tables = known.rows.map(
    ({ component }) =>
      sql`SELECT ${sql.lit(`${component}/`)} || name AS name FROM ${sql.id(`${component}_migrations`)}`,
  );
  const rows =
    tables.length === 0
      ? []
      : (await sql<{ name: string }>`${sql.join(tables, sql` UNION ALL `)}`.execute(db)).rows;
  const applied = new Set(rows.map(({ name }) => name));
  return [...components]
    .flatMap(([component, migrations]) => Object.keys(migrations).map((name) => `${component}/${name}`))
    .filter((name) => !applied.has(name));
}
