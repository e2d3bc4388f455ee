import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { format, resolveConfig } from 'prettier';

/** New files, additions to the end of files that exist, and what is left to be done by hand. */
export interface Skeleton {
  /** Path below the root → text. */
  files: Record<string, string>;
  additions?: Record<string, string>;
  next: readonly string[];
}

/** Writes a skeleton, formatted; answers what to print. Throws, with nothing written, when a file exists. */
export async function writeSkeleton(root: string, skeleton: Skeleton): Promise<string[]> {
  const paths = Object.keys(skeleton.files);
  const taken = paths.find((path) => existsSync(join(root, path)));
  if (taken !== undefined) throw new Error(`${taken} exists already.`);
  for (const [path, text] of Object.entries(skeleton.files)) await writeFormatted(root, path, text);
  const additions = Object.entries(skeleton.additions ?? {});
  for (const [path, text] of additions) await appendFile(join(root, path), text);
  return [
    ...paths.map((path) => `wrote ${path}`),
    ...additions.map(([path]) => `added to ${path}`),
    '',
    'What is left to do:',
    ...skeleton.next.map((step) => `  - ${step}`),
  ];
}

/** Writes a file as Prettier would have it. */
export async function writeFormatted(root: string, path: string, text: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await formatted(root, path, text));
}

/** A text as Prettier would have it in a file of this name. */
export async function formatted(root: string, path: string, text: string): Promise<string> {
  const options = await resolveConfig(join(root, 'package.json'));
  return format(text, { ...options, filepath: path });
}

const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** `purge-room` → `purgeRoom`. Throws when the name is not in kebab-case. */
export function camelCase(name: string): string {
  if (!kebabCase.test(name)) throw new Error(`${name} is not in kebab-case, as in purge-room.`);
  return name.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
}

/** `purge-room` → `PurgeRoom`. */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}
