import { configurationPage } from '@seneschal/config';

import { clientApiPage } from './client-api.ts';
import { formatted, writeFormatted } from './files.ts';

/** The pages that are made from the code: path below the root → text. */
const pages: Record<string, () => string> = {
  'docs/client-server-api.md': clientApiPage,
  'docs/configuration.md': configurationPage,
};

/** Writes all pages; answers what to print. */
export async function writePages(root: string): Promise<string[]> {
  for (const [path, page] of Object.entries(pages)) await writeFormatted(root, path, page());
  return Object.keys(pages).map((path) => `wrote ${path}`);
}

/** All pages as they should be, formatted, by path. */
export async function renderPages(root: string): Promise<Map<string, string>> {
  const rendered = new Map<string, string>();
  for (const [path, page] of Object.entries(pages)) rendered.set(path, await formatted(root, path, page()));
  return rendered;
}
