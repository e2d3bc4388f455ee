import { type Kysely, Migrator, type Migration } from 'kysely';

import { type Database, sqlState } from './database.ts';

/** No such table, no such column: as a table is dropped, or another one takes its name. */
const passing = new Set(['42P01', '42703']);
/** Each may meet a table that is just being dropped; so many in a row do not by chance. */
const mostAttempts = 50;

export type Migrations = Record<string, Migration>;

/**
 * Brings the tables of one component up to date. Each component has its own migration table. Safe when
 * several processes start at once: Kysely's migrator holds an advisory lock.
 */
export async function migrate(database: Database, component: string, migrations: Migrations): Promise<void> {
  const migrator = new Migrator({
    db: database.tables<unknown>(),
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: `${component}_migrations`,
    migrationLockTableName: `${component}_migrations_lock`,
  });
  for (let attempt = 1; ; attempt += 1) {
    const { error } = await migrator.migrateToLatest().catch((failure: unknown) => ({ error: failure }));
    if (error === undefined) {
      database.migrated.set(component, migrations);
      return;
    }
    // Kysely looks at all tables there are, one of which may be dropped meanwhile: that of an old search index.
    if (attempt < mostAttempts && passing.has(sqlState(error) ?? '')) continue;
    throw new Error(`The tables of ${component} could not be brought up to date.`, { cause: error });
  }
}

/** A migration made of plain SQL statements. There is no way down: operators restore a backup instead. */
export function sqlMigration(run: (db: Kysely<unknown>) => Promise<unknown>): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await run(db);
    },
  };
}
