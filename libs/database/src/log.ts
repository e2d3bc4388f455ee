import { sql, type Kysely, type Transaction } from 'kysely';

/** Creates a log table with the sequence that its positions come from. */
export async function createLogTable(db: Kysely<unknown>, table: string): Promise<void> {
  await sql`CREATE SEQUENCE ${sql.id(`${table}_position`)}`.execute(db);
  await sql`CREATE TABLE ${sql.id(table)} (
    position bigint PRIMARY KEY,
    fact jsonb NOT NULL,
    created_ts bigint NOT NULL
  )`.execute(db);
}

/**
 * Allots `count` positions of a log, in order. The log's lock is held from here to the end of the
 * transaction, so positions become visible in the order of their numbers: whoever has read up to one can
 * never miss a smaller one. Call it as late in the transaction as can be.
 */
export async function allotPositions<T>(
  transaction: Transaction<T>,
  table: string,
  count: number,
): Promise<number[]> {
  const result = await sql<{ position: number }>`
    WITH log AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(${table}, 0)))
    SELECT nextval(${`${table}_position`}::regclass) AS position FROM log, generate_series(1, ${count}::int)
  `.execute(transaction);
  return result.rows.map((row) => row.position).sort((a, b) => a - b);
}

/** Takes a log's lock: until the end of the transaction nobody else writes to it. */
export async function lockLog<T>(transaction: Transaction<T>, table: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${table}, 0))`.execute(transaction);
}

/** Writes facts to a log within the transaction of the change. Answers the last position. */
export async function appendToLog<T>(
  transaction: Transaction<T>,
  table: string,
  facts: readonly object[],
): Promise<number> {
  const positions = await allotPositions(transaction, table, facts.length);
  await insertFacts(transaction, table, positions, facts);
  return positions.at(-1) ?? 0;
}

/** Writes facts at positions that were allotted in the same transaction. */
export async function insertFacts<T>(
  transaction: Transaction<T>,
  table: string,
  positions: readonly number[],
  facts: readonly object[],
): Promise<void> {
  await sql`
    INSERT INTO ${sql.id(table)} (position, fact, created_ts)
    SELECT p, f, ${Date.now()} FROM unnest(${positions}::bigint[], ${facts.map((fact) => JSON.stringify(fact))}::jsonb[]) AS new (p, f)
  `.execute(transaction);
}

/** The last position of a log that is committed; 0 when the log is empty. */
export async function lastPosition<T>(db: Kysely<T>, table: string): Promise<number> {
  const result = await sql<{ position: number | null }>`
    SELECT max(position) AS position FROM ${sql.id(table)}
  `.execute(db);
  return result.rows[0]?.position ?? 0;
}
