import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { camelCase, pascalCase, type Skeleton } from './files.ts';

/** A command of a component that has tables: its contract, its file and its test. */
export function newCommand(root: string, component: string, name: string): Skeleton {
  const command = camelCase(name);
  const folder = `libs/${component}/src`;
  const contract = `libs/contracts/src/${component}.ts`;
  for (const needed of [contract, `${folder}/storage/tables.ts`, `${folder}/storage/migrations/index.ts`]) {
    if (!existsSync(join(root, needed))) throw new Error(`${needed} is missing: commands stand on it.`);
  }
  return {
    files: {
      [`${folder}/commands/${name}.ts`]: source(component, name),
      [`${folder}/commands/${name}.test.ts`]: test(component, name),
    },
    additions: { [contract]: declaration(component, command) },
    next: [
      `write the input, the output and the errors into ${contract}`,
      `bind it in ${folder}/component.ts: handle(${component}.${command}, (input, context) => ${command}(deps, input, context)),`,
      `name it in libs/${component}/README.md`,
    ],
  };
}

function declaration(component: string, command: string): string {
  return `
/** What it does, and which errors it answers. */
export const ${command} = command('${component}', '${command}', {
  input: z.object({}),
  output: z.object({}),
});
`;
}

function source(component: string, name: string): string {
  const [command, type, tables] = [camelCase(name), pascalCase(name), `${pascalCase(component)}Tables`];
  return `import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { ${component} } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import type { ${tables} } from '../storage/tables.ts';

type Input = z.infer<typeof ${component}.${command}.input>;
type Output = z.infer<typeof ${component}.${command}.output>;

export interface ${type}Deps {
  db: Kysely<${tables}>;
}

/** What it does, and which errors it throws. */
export async function ${command}(
  deps: ${type}Deps,
  _input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const output: Output = {};
  await transact(deps.db, async (transaction) => {
    // In the transaction of the work itself, so that a second delivery does nothing a second time.
    await context.remember(transaction, output);
  });
  return output;
}
`;
}

function test(component: string, name: string): string {
  const [command, tables] = [camelCase(name), `${pascalCase(component)}Tables`];
  return `import { type TestDatabase, withDatabase } from '@seneschal/testing';

import { ${component}Migrations } from '../storage/migrations/index.ts';
import type { ${tables} } from '../storage/tables.ts';
import { ${command} } from './${name}.ts';

describe('${command}', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await withDatabase({ ${component}: ${component}Migrations });
  });
  afterAll(() => database.stop());

  it('remembers what it answers', async () => {
    const remembered: unknown[] = [];
    const remember = async (_transaction: unknown, output: unknown): Promise<void> => {
      remembered.push(output);
    };
    const output = await ${command}({ db: database.tables<${tables}>() }, {}, { remember });
    expect(remembered).toEqual([output]);
  });
});
`;
}
