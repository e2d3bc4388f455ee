import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { migrate, type Migrations, openDatabase } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';

import { testServices } from './services.ts';

const libraries = join(import.meta.dirname, '..', '..');
const templatePrefix = 'seneschal_template_';

/** Runs one statement after the other on the server's maintenance database. */
export async function administer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: testServices().databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export function urlOf(databaseName: string): string {
  const url = new URL(testServices().databaseUrl);
  url.pathname = `/${databaseName}`;
  return url.href;
}

/**
 * The name of a migrated database to copy from. Made once for each set of components and each state of their
 * migrations; processes that need it at the same time wait for the one that makes it.
 */
export async function templateFor(migrations: Record<string, Migrations>): Promise<string> {
  const components = Object.keys(migrations).sort();
  const name = `${templatePrefix}${digestOf(components)}`;
  await administer(async (client) => {
    await client.query(`SELECT pg_advisory_lock(hashtext('${templatePrefix}'))`);
    const found = await client.query('SELECT datistemplate FROM pg_database WHERE datname = $1', [name]);
    if ((found.rows[0] as { datistemplate: boolean } | undefined)?.datistemplate === true) return;
    // It is marked as a template only when it is complete.
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    await migrateAll(name, migrations);
    await client.query(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  });
  return name;
}

async function migrateAll(name: string, migrations: Record<string, Migrations>): Promise<void> {
  const database = openDatabase({
    url: urlOf(name),
    maxConnections: 4,
    applicationName: 'seneschal tests',
    logger: createLogger('silent'),
  });
  try {
    for (const [component, all] of Object.entries(migrations)) await migrate(database, component, all);
  } finally {
    await database.stop();
  }
}

let sources: string | undefined;

/** Changes with the text of any migration. */
function digestOf(components: readonly string[]): string {
  sources ??= readdirSync(libraries, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\/src\/.*(migrations|database\/src\/log)\b.*\.ts$/.test(file))
    .sort()
    .map((file) => readFileSync(join(libraries, file), 'utf8'))
    .join('\0');
  return createHash('sha256').update(sources).update(components.join()).digest('hex').slice(0, 16);
}
