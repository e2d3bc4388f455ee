import { parseArgs, types } from 'node:util';

import { newCommand } from './command.ts';
import { newComponent } from './component.ts';
import { newEndpoint } from './endpoint.ts';
import { type Skeleton, writeSkeleton } from './files.ts';
import { writePages } from './pages.ts';

interface Context {
  args: string[];
  /** The checkout. */
  root: string;
  print?: (text: string) => void;
}

const help = `npm run generate                                       the pages that are made from the code
npm run generate -- command roomserver purge-room      a command of a component
npm run generate -- endpoint admin-gateway purge-room  an endpoint of a gateway
npm run generate -- component search                   a component

Names are in kebab-case. Nothing that exists is overwritten. docs/recipes.md says how to go on.
`;

/** @returns the exit code */
export async function main({ args, root, print = write }: Context): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', default: false } },
    });
    if (values.help) print(help);
    else if (positionals.length === 0) print(lines(await writePages(root)));
    else print(lines(await writeSkeleton(root, skeletonFor(root, positionals))));
    return 0;
  } catch (error) {
    print(`${types.isNativeError(error) ? error.message : String(error)}\n`);
    return 1;
  }
}

function skeletonFor(root: string, [kind, ...names]: string[]): Skeleton {
  const [first = '', second = ''] = names;
  if (kind === 'component' && names.length === 1) return newComponent(root, first);
  if (kind === 'command' && names.length === 2) return newCommand(root, first, second);
  if (kind === 'endpoint' && names.length === 2) return newEndpoint(root, first, second);
  throw new Error(`That cannot be generated. What can:\n\n${help}`);
}

function write(text: string): void {
  process.stdout.write(text);
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
