import type { Kysely } from 'kysely';

import {
  declaredIndexes,
  type Index,
  type Migrations,
  pendingMigrations,
  storedIndexes,
} from '@seneschal/database';

import type { Check, Finding } from './finding.ts';

export interface TablesDeps {
  db: Kysely<unknown>;
  /** The migrations of every component. */
  migrations: ReadonlyMap<string, Migrations>;
}

/** Whether the tables are up to date, and have all their indexes. */
export function tables(deps: TablesDeps): Check {
  // They follow from the code alone, so they are found out once.
  let declared: Promise<Index[]> | undefined;
  const wanted = (): Promise<Index[]> => {
    declared ??= declaredIndexes(deps.db, [...deps.migrations.values()]).catch((error: unknown) => {
      declared = undefined;
      throw error;
    });
    return declared;
  };
  return {
    name: 'tables',
    run: async () => {
      const pending = await pendingMigrations(deps.db, deps.migrations);
      const stored = await storedIndexes(deps.db);
      const invalid = stored.filter(({ isValid }) => !isValid).map(invalidIndex);
      // What a migration has yet to make is not missing.
      if (pending.length > 0) return [...pending.map(pendingMigration), ...invalid];
      return [...missing(await wanted(), stored).map(missingIndex), ...invalid];
    },
  };
}

/** Indexes that are there under no name; what follows the name of the table says what an index is. */
function missing(wanted: readonly Index[], stored: readonly Index[]): Index[] {
  const key = ({ table, definition }: Index): string =>
    `${table}\0${definition.startsWith('CREATE UNIQUE')}\0${definition.slice(definition.indexOf(' USING '))}`;
  const known = new Set(stored.map(key));
  return wanted.filter((index) => !known.has(key(index)));
}

function missingIndex({ name, table, definition }: Index): Finding {
  return {
    id: 'missing_index',
    severity: 'critical',
    subject: name,
    meaning: `The index ${name} of ${table} is not there: what it makes fast is slow, and what it makes unique is not.`,
    remedy: definition.replace(/INDEX /, 'INDEX CONCURRENTLY '),
  };
}

function invalidIndex({ name, table }: Index): Finding {
  return {
    id: 'invalid_index',
    severity: 'critical',
    subject: name,
    meaning: `The index ${name} of ${table} was begun and never completed: it is kept up to date, but not used.`,
    remedy: `REINDEX INDEX CONCURRENTLY ${name}`,
  };
}

function pendingMigration(name: string): Finding {
  return {
    id: 'pending_migration',
    severity: 'warning',
    subject: name,
    meaning: `The tables have not been changed by ${name} yet: the process that does so has not started, or could not.`,
    remedy: `Start a worker with the component ${name.split('/')[0] ?? ''}, and look at its log.`,
  };
}
