import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const projects = ['apps', 'libs'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}`),
);

/** Files below a folder of the checkout, without packages. */
function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.split('/').includes('node_modules'))
    .map((file) => `${folder}/${file}`);
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...[...projects, 'docs'].flatMap(filesIn).filter((file) => file.endsWith('.md')),
];

/** Links of a page to other files that are not there. */
function deadLinks(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/```.*?```/gs, '');
  return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !existsSync(join(root, dirname(page), target)));
}

describe('the pages', () => {
  it.each(projects)('say what %s is', (folder) => {
    expect(filesIn(folder)).toContain(`${folder}/README.md`);
  });

  it.each(pages)('of %s link to what is there', (page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it('name each flow in docs/flows, and say how the work is done', () => {
    const flows = readdirSync(join(root, 'docs/flows'));
    for (const flow of [
      'evacuate-room',
      'evacuate-user',
      'reset-password',
      'whois',
      'login-and-sync',
      'send',
    ]) {
      expect(flows).toContain(`${flow}.md`);
    }
    expect(existsSync(join(root, 'docs/recipes.md'))).toBe(true);
  });
});

describe('the projects', () => {
  // `npx nx test NAME` would otherwise pass without having looked at anything.
  it.each(projects)('%s has tests of its own', (folder) => {
    expect(filesIn(folder).filter((file) => /\.test\.(ts|mjs)$/.test(file))).not.toEqual([]);
  });
});
