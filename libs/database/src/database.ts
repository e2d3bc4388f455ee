import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';

import type { Logger, Stoppable } from '@seneschal/observability';

import type { Migrations } from './migrate.ts';
import { PreparingClient } from './prepared.ts';

/** A pool of connections; each component sees it through its own table types. */
export interface Database extends Stoppable {
  /** The database as one component sees it. */
  tables<T>(): Kysely<T>;
  /** The migrations of each component that this process has brought up to date. */
  readonly migrated: Map<string, Migrations>;
  /** Connections that are open, that are idle, and queries that wait for one. */
  pool(): { open: number; idle: number; waiting: number };
}

export interface DatabaseOptions {
  url: string;
  maxConnections: number;
  applicationName: string;
  logger: Logger;
}

type TypeParser = (value: string) => unknown;

/** Opens the pool; connects on the first query. 64-bit integers are read as numbers: ours stay below 2^53. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections,
    application_name: options.applicationName,
    Client: PreparingClient,
    // Our statements look rows up by key, whatever the values: planning them anew each time costs more than it finds.
    options: '-c plan_cache_mode=force_generic_plan -c jit=off',
    idle_in_transaction_session_timeout: 30_000,
    statement_timeout: 60_000,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: {
      getTypeParser: (
        oid: Parameters<typeof pg.types.getTypeParser>[0],
        format?: 'text' | 'binary',
      ): TypeParser =>
        oid === pg.types.builtins.INT8 && format !== 'binary'
          ? Number
          : (pg.types.getTypeParser(oid, format) as TypeParser),
    },
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) =>
    options.logger.warn({ error: error.message }, 'an idle database connection was lost'),
  );
  // Likewise for one that dies between two statements of a transaction; the next statement rejects.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return {
    migrated: new Map<string, Migrations>(),
    tables: <T>() => kysely as unknown as Kysely<T>,
    pool: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    stop: () => kysely.destroy(),
  };
}

const retryable = new Set(['40001', '40P01']);

/** The SQLSTATE of a PostgreSQL error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Runs `work` in one transaction; deadlocks and serialisation failures are tried again, at most 5 times. */
export async function transact<T, R>(
  db: Kysely<T>,
  work: (transaction: Transaction<T>) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= 5 || !retryable.has(sqlState(error) ?? '')) throw error;
    }
  }
}
