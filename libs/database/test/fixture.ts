import { type Kysely, sql } from 'kysely';

import { type TestDatabase, withDatabase } from '@seneschal/testing';

import { createLogTable, lastPosition } from '../src/index.ts';

/** A database with two empty logs. */
export async function withLogs(): Promise<TestDatabase> {
  const database = await withDatabase();
  await createLogTable(database.tables(), 'first_output');
  await createLogTable(database.tables(), 'second_output');
  return database;
}

/** Settles when a session of this database waits for a lock that another one holds. */
export async function someoneWaits(db: Kysely<unknown>): Promise<void> {
  for (;;) {
    const waiting = await sql`SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`.execute(db);
    if (waiting.rows.length > 0) return;
  }
}

/** What a consumer does: everything after what it has read. */
export async function readAfter(db: Kysely<unknown>, position: number): Promise<number[]> {
  const found = await sql<{ position: number }>`
    SELECT position FROM first_output WHERE position > ${position} ORDER BY position`.execute(db);
  return found.rows.map((row) => row.position);
}

export function end(db: Kysely<unknown>): Promise<number> {
  return lastPosition(db, 'first_output');
}

/** A promise with its resolve function apart. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
