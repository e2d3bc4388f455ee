import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SetupError } from './errors.mjs';
import { hashOf, readJson, readText, root, writeWhole } from './files.mjs';
import { withLock } from './lock.mjs';
import { checkNode } from './node-version.mjs';
import { run } from './processes.mjs';

/** Installs the npm packages where they are missing, older than package-lock.json, or left in pieces. */
export async function ensureDependencies(log, folder = root) {
  checkNode();
  if (isCurrent(folder)) return;
  mkdirSync(join(folder, '.cache'), { recursive: true });
  await withLock(join(folder, '.cache', 'setup.lock'), 'The set-up', async () => {
    if (isCurrent(folder)) return;
    log.info('Installing the npm packages (npm ci) …');
    writeFileSync(unfinishedFile(folder), '');
    await log.step('npm packages', () => install(folder));
    writeStamp(folder);
    rmSync(unfinishedFile(folder));
  });
}

function isCurrent(folder) {
  const lockText = readText(join(folder, 'package-lock.json'));
  if (lockText === undefined) {
    throw new SetupError('package-lock.json is missing: run this in a complete checkout of the project.');
  }
  const installed = readJson(join(folder, 'node_modules', '.package-lock.json'));
  if (installed === undefined || existsSync(unfinishedFile(folder))) return false;
  if (!isWhole(folder, installed)) return false;
  if (readText(stampFile(folder)) === stampOf(lockText)) return true;
  if (!isInstalled(JSON.parse(lockText), installed)) return false;
  writeStamp(folder, lockText);
  return true;
}

/**
 * Whether every package that npm noted is there. One \`npm ci\` that runs into another, or is killed while it
 * removes what was there, can leave the note beside half of the packages.
 */
function isWhole(folder, installed) {
  return Object.keys(installed.packages)
    .filter((path) => path.includes('node_modules/'))
    .every((path) => existsSync(join(folder, path, 'package.json')));
}

/**
 * Whether what npm noted in node_modules/.package-lock.json is what package-lock.json asks for, so that an
 * `npm install` by hand is not done over again. Packages for other machines may be missing.
 */
export function isInstalled(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true && !fitsThisMachine(wanted);
    return wanted.link === true || found.version === wanted.version;
  });
}

function fitsThisMachine({ os, cpu, libc }) {
  // Which C library this machine has only npm finds out; its choice is taken as it is.
  if (libc !== undefined || (os === undefined && cpu === undefined)) return false;
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}

async function install(folder) {
  const npm = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development' },
  });
  if (npm.code === 0) return;
  const reason = `${npm.stderr}\n${npm.stdout}`.trim().split('\n').slice(0, 6).join('\n');
  throw new SetupError(
    `npm could not install the packages: check the network and run \`npm ci\` to see more.\n${reason}`,
  );
}

function writeStamp(folder, lockText = readText(join(folder, 'package-lock.json'))) {
  const file = stampFile(folder);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeWhole(file, stampOf(lockText), 0o644);
  } catch (error) {
    // Packages that another user installed are as good; they are only compared again next time.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
}

/** The lock, and the machine: native packages of one do not run on another. */
export function stampOf(lockText, machine = `${process.platform}-${process.arch}`) {
  return hashOf(lockText, machine);
}

/** Stands from the beginning of an installation of ours to its success. */
function unfinishedFile(folder) {
  return join(folder, '.cache', 'npm-ci.unfinished');
}

function stampFile(folder) {
  return join(folder, 'node_modules', '.seneschal-lock');
}
