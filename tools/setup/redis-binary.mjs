import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { SetupError } from './errors.mjs';
import { root } from './files.mjs';
import { withLock } from './lock.mjs';
import { isAtLeast } from './node-version.mjs';
import { run } from './processes.mjs';
import { installRedis, unpackRedis, unpackedRedis } from './redis-package.mjs';

const oldest = '6.2';

/** The version that `redis-server --version` or `valkey-server --version` prints, or undefined. */
export function parseRedisVersion(text) {
  return /\b(?:Redis|Valkey) server v=(\d+\.\d+(?:\.\d+)?)/i.exec(text)?.[1];
}

/**
 * Finds a Redis or Valkey of at least 6.2: on the PATH, unpacked earlier, from the distribution's package.
 * @param packageFolder where a package is unpacked when it cannot be installed
 * @returns {Promise<{program: string, version: string, libraryPath?: string}>}
 * @throws SetupError that says what to install
 */
export async function ensureRedis({ packageFolder, log }) {
  const found = await findRedis(packageFolder);
  if (found !== undefined) return found;
  mkdirSync(join(root, '.cache'), { recursive: true });
  return withLock(join(root, '.cache', 'redis.lock'), 'Getting Redis', () =>
    getRedis({ packageFolder, log }),
  );
}

async function getRedis({ packageFolder, log }) {
  const problems = [];
  const meanwhile = await findRedis(packageFolder);
  if (meanwhile !== undefined) return meanwhile;
  for (const get of [installRedis, unpackRedis]) {
    const problem = await get({ packageFolder, log });
    if (problem !== undefined) problems.push(problem);
    const got = await findRedis(packageFolder);
    if (got !== undefined) return got;
  }
  throw new SetupError(
    `Redis or Valkey ${oldest} or later is needed: install redis-server or valkey-server so that it is on the PATH, or set SENESCHAL_REDIS_URL. (${problems.join(' ')})`,
  );
}

/** The same without getting one; undefined where there is none. */
export async function findRedis(packageFolder) {
  const candidates = ['redis-server', 'valkey-server']
    .map((name) => onPath(name))
    .filter((program) => program !== undefined)
    .map((program) => ({ program }));
  const unpacked = packageFolder === undefined ? undefined : unpackedRedis(packageFolder);
  if (unpacked !== undefined) candidates.push(unpacked);
  for (const candidate of candidates) {
    const { stdout } = await run(candidate.program, ['--version'], { env: redisEnvironment(candidate) });
    const version = parseRedisVersion(stdout);
    if (version !== undefined && isAtLeast(version, oldest)) return { ...candidate, version };
  }
  return undefined;
}

/** The environment for a Redis that ensureRedis found. */
export function redisEnvironment({ libraryPath }) {
  const base = { PATH: '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' };
  return libraryPath === undefined ? base : { ...base, LD_LIBRARY_PATH: libraryPath };
}

/** A program on the PATH, or where Debian has its servers. */
function onPath(name) {
  return [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/sbin', '/usr/local/bin']
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
