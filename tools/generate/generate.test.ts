import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { check } from 'prettier';

import { main } from './main.ts';
import { renderPages } from './pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const wanted = [
  ['command', 'roomserver', 'tidy-room'],
  ['endpoint', 'admin-gateway', 'tidy-room'],
  ['endpoint', 'client-gateway', 'tidy-room'],
  ['endpoint', 'federation-gateway', 'tidy-room'],
  ['component', 'steward'],
];

/** The sources of the checkout, with packages that resolve to these copies. */
function copyOfCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), 'seneschal-generate-'));
  const isSource = (path: string): boolean => !path.includes('node_modules');
  for (const name of ['apps', 'libs', 'package.json', '.prettierrc.json', 'tsconfig.base.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isSource });
  }
  const packages = join(copy, 'node_modules');
  mkdirSync(join(packages, '@seneschal'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter((one) => one !== '@seneschal')) {
    symlinkSync(join(root, 'node_modules', name), join(packages, name));
  }
  for (const group of ['apps', 'libs']) {
    for (const name of readdirSync(join(copy, group))) {
      symlinkSync(join(copy, group, name), join(packages, '@seneschal', name));
    }
  }
  return copy;
}

/** What tsc says of these files, and not of what they import. */
function typeErrors(copy: string, files: readonly string[]): string[] {
  const settings = { extends: './tsconfig.base.json', files };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.'], { cwd: copy, encoding: 'utf8' });
  return stdout.split('\n').filter((line) => files.some((file) => line.startsWith(`${file}(`)));
}

describe('generate', () => {
  it('has been run since the settings changed', async () => {
    for (const [path, page] of await renderPages(root)) {
      expect(readFileSync(join(root, path), 'utf8')).toBe(page);
    }
  });

  it.each([[['command', 'nothing', 'x']], [['endpoint', 'nowhere', 'x']], [['component', 'Big']], [['x']]])(
    'refuses %j',
    async (args) => {
      expect(await main({ args, root, print: () => undefined })).toBe(1);
    },
  );

  describe('in a copy of the checkout', () => {
    let copy: string;
    let printed = '';
    beforeAll(async () => {
      copy = copyOfCheckout();
      const print = (text: string): void => void (printed += text);
      for (const args of wanted) expect(await main({ args, root: copy, print })).toBe(0);
    });
    afterAll(() => rmSync(copy, { recursive: true, force: true }));

    const written = (): string[] => [...printed.matchAll(/^wrote (.*)$/gm)].map(([, path]) => path ?? '');

    it('writes files that hold their types', () => {
      const sources = written().filter((path) => path.endsWith('.ts'));
      expect(sources.length).toBeGreaterThan(10);
      expect(typeErrors(copy, sources)).toEqual([]);
    }, 120_000);

    it('writes formatted files, and leaves formatted what it adds to', async () => {
      const options = { singleQuote: true, printWidth: 110 };
      for (const path of [...written(), 'libs/contracts/src/roomserver.ts']) {
        const text = readFileSync(join(copy, path), 'utf8');
        expect([path, await check(text, { ...options, filepath: path })]).toEqual([path, true]);
      }
    });

    it('says what is left to do, and overwrites nothing', async () => {
      expect(printed).toContain('bind it in libs/roomserver/src/component.ts: handle(roomserver.tidyRoom,');
      for (const args of wanted) {
        expect(await main({ args, root: copy, print: () => undefined })).toBe(1);
      }
    });
  });
});
