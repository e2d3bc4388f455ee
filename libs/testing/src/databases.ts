import { type Kysely, sql } from 'kysely';

import { type Database, type Migrations, openDatabase } from '@seneschal/database';
import { createLogger, type Logger, type Stoppable } from '@seneschal/observability';

import { uniqueName } from './services.ts';
import { administer, templateFor, urlOf } from './templates.ts';

/** A database of one test file's own; `stop` drops it. */
export interface TestDatabase extends Stoppable {
  readonly url: string;
  readonly database: Database;
  tables<T>(): Kysely<T>;
}

/**
 * Makes a database with the tables of some components, for tests without HTTP:
 * `withDatabase({ userapi: userapiMigrations })`.
 */
export async function withDatabase(
  migrations: Record<string, Migrations> = {},
  logger: Logger = createLogger('silent'),
): Promise<TestDatabase> {
  const name = await copyDatabase(migrations);
  const database = openDatabase({
    url: urlOf(name),
    maxConnections: 12,
    applicationName: 'seneschal tests',
    logger,
  });
  return {
    url: urlOf(name),
    database,
    tables: <T>() => database.tables<T>(),
    stop: async () => {
      await database.stop();
      await dropDatabase(name);
    },
  };
}

/** Copies a migrated database; answers its name. */
export async function copyDatabase(migrations: Record<string, Migrations>): Promise<string> {
  const template = await templateFor(migrations);
  const name = `seneschal_${uniqueName()}`;
  await administer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return name;
}

export async function dropDatabase(name: string): Promise<void> {
  await administer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

/** Rows of a table or of any other query, as they are; only for looking at what a component stored. */
export async function rowsOf<Row>(db: Kysely<unknown>, query: string): Promise<Row[]> {
  return (await sql.raw<Row>(query).execute(db)).rows;
}
