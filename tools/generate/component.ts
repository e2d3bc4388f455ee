import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { camelCase, pascalCase, type Skeleton } from './files.ts';

/** A component with one table, its log of facts, that serves no commands yet. */
export function newComponent(root: string, name: string): Skeleton {
  // It is also the beginning of its tables' names.
  if (camelCase(name) !== name) throw new Error('A component has a name of one word.');
  const folder = `libs/${name}`;
  if (existsSync(join(root, folder))) throw new Error(`${folder} exists already.`);
  const type = pascalCase(name);
  return {
    files: {
      [`${folder}/package.json`]: manifest(name),
      [`${folder}/tsconfig.json`]: '{ "extends": "../../tsconfig.base.json", "include": ["src", "test"] }',
      [`${folder}/README.md`]: readme(name),
      [`${folder}/src/index.ts`]: `export { start${type}, type ${type}Deps } from './component.ts';
export { ${name}Migrations } from './storage/migrations/index.ts';
`,
      [`${folder}/src/component.ts`]: component(name),
      [`${folder}/src/storage/tables.ts`]: tables(name),
      [`${folder}/src/storage/migrations/0001-output.ts`]: migration(name),
      [`${folder}/src/storage/migrations/index.ts`]: migrations(name),
      [`${folder}/test/component.test.ts`]: test(name),
    },
    next: [
      `npm install, so that the workspace knows @seneschal/${name}`,
      `say in ${folder}/README.md what the component owns`,
      `declare its commands in libs/contracts/src/${name}.ts, export that from libs/contracts/src/index.ts, and add '${name}' to ComponentName in libs/contracts/src/command.ts`,
      `start it in apps/worker/src/components.ts, and add @seneschal/${name} to the dependencies of apps/worker`,
      `npm run generate -- command ${name} NAME`,
    ],
  };
}

function manifest(name: string): string {
  return JSON.stringify({
    name: `@seneschal/${name}`,
    version: '0.1.0',
    private: true,
    license: 'Apache-2.0',
    type: 'module',
    exports: { '.': './src/index.ts' },
    scripts: { test: `node ../../tools/test.mjs --project ${name}` },
    dependencies: { '@seneschal/database': '*', '@seneschal/observability': '*' },
    nx: { tags: ['type:component', `scope:${name}`] },
  });
}

function readme(name: string): string {
  return `# ${name}

What it owns, in a sentence or two.

## Tables

The log \`${name}_output\`.

## Commands

None yet.

## Facts it writes

None yet.

## Facts it follows

None yet.
`;
}

function component(name: string): string {
  const type = pascalCase(name);
  return `import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Stoppable } from '@seneschal/observability';

import { ${name}Migrations } from './storage/migrations/index.ts';

export interface ${type}Deps {
  database: Database;
}

/** Starts the component: brings its tables up to date. */
export async function start${type}({ database }: ${type}Deps): Promise<Stoppable> {
  await migrate(database, '${name}', ${name}Migrations);
  return new Lifecycle();
}
`;
}

function tables(name: string): string {
  return `export interface ${pascalCase(name)}Tables {
  ${name}_output: { position: number; fact: unknown; created_ts: number };
}
`;
}

function migration(name: string): string {
  return `import { createLogTable, sqlMigration } from '@seneschal/database';

export const output = sqlMigration((db) => createLogTable(db, '${name}_output'));
`;
}

function migrations(name: string): string {
  return `import type { Migrations } from '@seneschal/database';

import { output } from './0001-output.ts';

export const ${name}Migrations: Migrations = { '0001_output': output };
`;
}

function test(name: string): string {
  const type = pascalCase(name);
  return `import { lastPosition } from '@seneschal/database';
import { withDatabase } from '@seneschal/testing';

import { start${type} } from '../src/index.ts';

describe('${name}', () => {
  it('starts on an empty database and stops', async () => {
    const database = await withDatabase();
    const started = await start${type}({ database: database.database });
    expect(await lastPosition(database.tables(), '${name}_output')).toBe(0);
    await started.stop();
    await database.stop();
  });
});
`;
}
