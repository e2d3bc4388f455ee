import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { SetupError } from './errors.mjs';
import { identify, isAlive, until } from './processes.mjs';

/**
 * Takes a lock file that names its holder. A file whose holder has ended, or whose number another process
 * has now, counts for nothing.
 * @param what the thing that is locked, as the error names it
 * @returns {{release(): void}}
 * @throws SetupError when a living process holds it
 */
export function takeLock(file, what) {
  const holder = tryLock(file);
  if (holder !== undefined) {
    throw new SetupError(`${what} is in use by process ${holder.pid}: stop that one first, or take another.`);
  }
  return { release: () => release(file) };
}

/** Runs the work while holding the lock, and waits for it up to ten minutes. */
export async function withLock(file, what, work) {
  const got = await until(() => tryLock(file) === undefined, 600_000, 100);
  if (!got) throw new SetupError(`${what} has been busy for ten minutes: see what holds ${file}.`);
  try {
    return await work();
  } finally {
    release(file);
  }
}

/** The living holder of a lock, or undefined. */
export function holderOf(file) {
  const holder = read(file);
  return isAlive(holder) ? holder : undefined;
}

function tryLock(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      if (link(own, file)) return undefined;
      const holder = read(file);
      if (isAlive(holder)) return holder;
      setAside(file, `${own}.stale`);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Two may find the same stale file; who moves away the fresh lock of the other puts it back. */
function setAside(file, aside) {
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return;
  }
  if (isAlive(read(aside))) link(aside, file);
  rmSync(aside, { force: true });
}

/** A link appears whole or not at all, unlike a file that is created and then written. */
function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function release(file) {
  const holder = read(file);
  if (holder?.pid === process.pid && isAlive(holder)) rmSync(file, { force: true });
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
