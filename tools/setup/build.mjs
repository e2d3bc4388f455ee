import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { SetupError } from './errors.mjs';
import { hashOf, readText, root, writeWhole } from './files.mjs';
import { withLock } from './lock.mjs';
import { run } from './processes.mjs';

/** The program that prints the description of the admin API. */
const describer = 'admin-api';

/** Bundles every program, apps/NAME/src/main.ts and tools/NAME/main.ts, into dist/NAME.mjs. */
export async function ensureBuild(log, folder = root) {
  const stamp = stampOfSources(folder);
  if (isBuilt(folder, stamp)) return;
  mkdirSync(join(folder, '.cache'), { recursive: true });
  await withLock(join(folder, '.cache', 'build.lock'), 'The build', async () => {
    if (isBuilt(folder, stamp)) return;
    await log.step('Build', async () => {
      await bundle(folder);
      await describeApi(folder);
    });
    writeWhole(stampFile(folder), stamp, 0o644);
  });
}

/** Writes what the admin API is into dist/admin-api.json, for the command line. */
async function describeApi(folder) {
  if (entryPoints(folder)[describer] === undefined) return;
  const { code, stdout, stderr } = await run(process.execPath, [bundleOf(folder, describer)], {
    cwd: folder,
  });
  if (code !== 0)
    throw new SetupError(`The build failed: the admin API cannot be described.\n${stderr.trim()}`);
  writeWhole(join(folder, 'dist', `${describer}.json`), stdout, 0o644);
}

/** The programs of the checkout: name of the bundle → source. */
export function entryPoints(folder = root) {
  const found = {};
  for (const [group, main] of [
    ['apps', 'src/main.ts'],
    ['tools', 'main.ts'],
  ]) {
    for (const name of foldersIn(join(folder, group))) {
      const file = join(folder, group, name, main);
      if (existsSync(file)) found[name] = file;
    }
  }
  return found;
}

function isBuilt(folder, stamp) {
  if (readText(stampFile(folder)) !== stamp) return false;
  return Object.keys(entryPoints(folder)).every((name) => existsSync(bundleOf(folder, name)));
}

async function bundle(folder) {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: entryPoints(folder),
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'linked',
    legalComments: 'none',
    logLevel: 'silent',
    absWorkingDir: folder,
    plugins: [keepPackagesOut(folder)],
    // A CommonJS package that has to be inlined still calls require for Node's own modules.
    banner: {
      js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);",
    },
  }).catch((error) => {
    throw new SetupError(`The build failed: ${describe(error, folder)}`);
  });
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const { path, contents } of result.outputFiles) {
    // Renamed into place, so that a program that starts meanwhile never reads half a bundle.
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
  }
}

/**
 * Leaves packages of npm out of the bundles, and takes the workspace's own in. A package that npm did not
 * hoist to the root (another version is there) would not be found from dist/, so it goes in too.
 */
function keepPackagesOut(folder) {
  const hoisted = join(folder, 'node_modules') + '/';
  return {
    name: 'keep-packages-out',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...rest }) => {
        if (pluginData === 'resolving' || rest.kind === 'entry-point' || path.startsWith('node:')) return;
        if (path.startsWith('@seneschal/')) return;
        const { importer, namespace, resolveDir, kind } = rest;
        const found = await build.resolve(path, {
          importer,
          namespace,
          resolveDir,
          kind,
          pluginData: 'resolving',
        });
        if (found.path.startsWith(hoisted) && !importer.includes('/node_modules/')) {
          return { path, external: true };
        }
        return found;
      });
    },
  };
}

function describe(error, folder) {
  const first = error.errors?.[0];
  if (first === undefined) return error.message;
  const place = first.location === null ? '' : `${first.location.file}:${first.location.line}: `;
  return `${place}${first.text}`.replaceAll(`${folder}/`, '');
}

/** Changes when a source, a package.json, the lock or this file does. Looks at dates and sizes only. */
function stampOfSources(folder) {
  const parts = [join(folder, 'package-lock.json'), join(folder, 'tools/setup/build.mjs')];
  for (const group of ['apps', 'libs', 'tools']) collect(join(folder, group), parts);
  return hashOf(
    ...parts.sort().map((file) => {
      const { mtimeMs, size } = statSync(file);
      return `${relative(folder, file)} ${mtimeMs} ${size}`;
    }),
  );
}

function collect(directory, files) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') collect(path, files);
    else if (entry.name === 'package.json' || isSource(entry.name)) files.push(path);
  }
}

function isSource(name) {
  return name.endsWith('.ts') && !name.endsWith('.test.ts');
}

function foldersIn(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function bundleOf(folder, name) {
  return join(folder, 'dist', `${name}.mjs`);
}

function stampFile(folder) {
  return join(folder, 'dist', '.stamp');
}

/** The bundle of a program. @throws SetupError when there is no such program. */
export function builtProgram(name, folder = root) {
  const file = bundleOf(folder, name);
  if (existsSync(file)) return file;
  const known = Object.keys(entryPoints(folder)).join(', ');
  throw new SetupError(`There is no program named ${name} to start; there are: ${known || 'none'}.`);
}
