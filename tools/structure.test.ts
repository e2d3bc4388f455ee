import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  nx?: { tags: string[] };
}

interface Project {
  /** Below the root, as in `libs/bus`. */
  folder: string;
  manifest: Manifest;
  /** All files, below the project. */
  files: string[];
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.split('/').includes('node_modules'),
  );
}

const projects: Project[] = ['apps', 'libs'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => {
    const folder = `${group}/${name}`;
    return { folder, manifest: manifestOf(folder), files: filesIn(folder) };
  }),
);
const components = projects.filter(({ manifest }) => manifest.nx?.tags.includes('type:component'));
const testFiles = [...projects, { folder: 'tools', files: filesIn('tools') }].flatMap(({ folder, files }) =>
  files.filter((file) => /\.test\.(ts|mjs)$/.test(file)).map((file) => join(root, folder, file)),
);

function isTest(file: string): boolean {
  return file.startsWith('test/') || file.endsWith('.test.ts');
}

/** The packages that a source names in an import or an export; what stands in a template is no import. */
function packagesIn(source: string): string[] {
  const named = source
    .replace(/`[^`]*`/g, '')
    .matchAll(/(?:\bfrom|\bimport\(?)\s*'((?:@[\w-]+\/)?[\w-][\w.-]*)(?:\/[^']*)?'/g);
  return [...named].map(([, name]) => name ?? '').filter((name) => !builtinModules.includes(name));
}

/** Imports of sources that the given packages do not cover: `file: package`. */
function undeclared(folder: string, files: readonly string[], declared: ReadonlySet<string>): string[] {
  return files.flatMap((file) =>
    packagesIn(readFileSync(join(root, folder, file), 'utf8'))
      .filter((name) => !declared.has(name) && !name.startsWith('node:'))
      .map((name) => `${folder}/${file}: ${name}`),
  );
}

function packagesOf({ dependencies, devDependencies }: Manifest): string[] {
  return [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})];
}

/** Besides their project's own packages tests have the root's and what comes with @seneschal/testing. */
const forTests = [
  '@jest/globals',
  ...packagesOf(manifestOf('.')),
  ...packagesOf(manifestOf('libs/testing')),
  ...projects.map(({ folder }) => `@seneschal/${basename(folder)}`),
];

describe('the workspace', () => {
  it.each(components.map((one) => [one.folder, one] as const))(
    'has in %s what every component has',
    (folder, { files }) => {
      for (const needed of ['README.md', 'src/component.ts', 'src/index.ts']) expect(files).toContain(needed);
      const name = basename(folder);
      const contract = join(root, 'libs/contracts/src', `${name}.ts`);
      if (existsSync(contract) && readFileSync(contract, 'utf8').includes(`command('${name}'`)) {
        for (const needed of [
          'src/commands',
          'src/queries',
          'src/reads.ts',
          'src/storage/tables.ts',
          'src/storage/migrations/index.ts',
        ]) {
          expect(files).toContain(needed);
        }
      }
    },
  );

  it('keeps sources within 300 lines', () => {
    const long = projects.flatMap(({ folder, files }) =>
      files
        .filter((file) => file.startsWith('src/') && file.endsWith('.ts'))
        .map((file) => ({
          file: `${folder}/${file}`,
          lines: readFileSync(join(root, folder, file), 'utf8').split('\n').length - 1,
        }))
        .filter(({ lines }) => lines > 300),
    );
    expect(long).toEqual([]);
  });

  // npm puts all packages where all projects find them, so that nothing else notices.
  it.each(projects.map((one) => [one.folder, one] as const))(
    'imports in %s only what it declares',
    (folder, { manifest, files }) => {
      const declared = packagesOf(manifest);
      const sources = files.filter((file) => file.endsWith('.ts'));
      const code = sources.filter((file) => !isTest(file));
      expect(undeclared(folder, code, new Set(declared))).toEqual([]);
      expect(undeclared(folder, sources.filter(isTest), new Set([...declared, ...forTests]))).toEqual([]);
    },
  );

  it('imports in tools only what the root or a project declares', () => {
    const sources = filesIn('tools').filter((file) => /\.(ts|mjs)$/.test(file));
    const declared = projects.flatMap(({ manifest }) => packagesOf(manifest));
    expect(undeclared('tools', sources, new Set([...declared, ...forTests]))).toEqual([]);
  });

  it('declares each dependency in one version', () => {
    const versions = new Map<string, Set<string>>();
    for (const { manifest } of [...projects, { manifest: manifestOf('.') }]) {
      for (const [name, version] of Object.entries({
        ...manifest.dependencies,
        ...manifest.devDependencies,
      })) {
        versions.set(name, new Set([...(versions.get(name) ?? []), version]));
      }
    }
    expect([...versions].filter(([, all]) => all.size > 1)).toEqual([]);
    expect(
      [...versions.values()].flatMap((all) => [...all]).filter((one) => !/^(\*|\d[\w.-]*)$/.test(one)),
    ).toEqual([]);
  });

  it('has a test that names each command', () => {
    const tests = testFiles.map((file) => readFileSync(file, 'utf8')).join('\n');
    const untested = components.flatMap(({ folder }) => {
      const contract = join(root, 'libs/contracts/src', `${basename(folder)}.ts`);
      const source = existsSync(contract) ? readFileSync(contract, 'utf8') : '';
      return [...source.matchAll(/command\('(\w+)', '(\w+)'/g)]
        .map(([, component, name]) => `${component ?? ''}.${name ?? ''}`)
        .filter((command) => !new RegExp(`\\b${command.split('.')[1] ?? ''}\\b`).test(tests));
    });
    expect(untested).toEqual([]);
  });
});
