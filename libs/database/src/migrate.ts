import { type Kysely, Migrator, type Migration } from 'kysely';

import type { Database } from './database.ts';

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
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
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
