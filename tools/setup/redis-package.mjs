import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './processes.mjs';

/** The program, which is a link, and the package that has what it points to, installed already or not. */
const packagesOf = {
  'redis-server': ['redis-server', 'redis-tools'],
  'valkey-server': ['valkey-server', 'valkey-tools'],
};
const names = Object.keys(packagesOf);
const policyFile = '/usr/sbin/policy-rc.d';
const quiet = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/**
 * As root on Debian and Ubuntu: installs the distribution's package, whose own service is neither started
 * now nor at the next boot.
 * @returns {Promise<string | undefined>} why not
 */
export async function installRedis({ log }) {
  if (process.getuid() !== 0) return undefined;
  if (!existsSync('/usr/bin/apt-get'))
    return 'This is no Debian or Ubuntu, so it was not installed by itself.';
  log.info('Installing the package redis-server (apt-get) …');
  return log.step('Package redis-server', () => withoutServices(installOne));
}

async function installOne() {
  const apt = (...words) => run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...words], withQuiet());
  let last = '';
  for (const update of [false, true]) {
    if (update) await apt('update');
    for (const name of names) {
      const { code, stderr } = await apt('install', '-y', '--no-install-recommends', name);
      if (code === 0) return undefined;
      last ||= stderr;
    }
  }
  return `apt-get install failed: ${firstLine(last)}`;
}

async function withoutServices(work) {
  const ours = !existsSync(policyFile);
  if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  try {
    return await work();
  } finally {
    if (ours) rmSync(policyFile, { force: true });
    if (existsSync('/run/systemd/system')) {
      for (const name of names) await run('systemctl', ['disable', '--now', '--quiet', `${name}.service`]);
    }
  }
}

/**
 * Without root: fetches the distribution's package with what it needs and is not installed, and unpacks it.
 * @returns {Promise<string | undefined>} why not
 */
export async function unpackRedis({ packageFolder, log }) {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) {
    return 'There is no apt-get to fetch the package with.';
  }
  log.info('Fetching the package redis-server to unpack it …');
  return log.step('Package redis-server', () => unpackInto(packageFolder));
}

async function unpackInto(packageFolder) {
  const work = `${packageFolder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'root'), { recursive: true });
  try {
    const problem = (await fetchInto(work, [])) && (await fetchWithOwnLists(work));
    if (problem !== undefined) return problem;
    for (const file of debsIn(work)) {
      const { code, stderr } = await run('dpkg-deb', ['-x', file, join(work, 'root')]);
      if (code !== 0) return `dpkg-deb failed: ${firstLine(stderr)}`;
    }
    rmSync(packageFolder, { recursive: true, force: true });
    renameSync(join(work, 'root'), packageFolder);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Only root may bring the system's package lists up to date, so we keep lists of our own. */
async function fetchWithOwnLists(work) {
  const lists = join(work, 'lists');
  const cache = join(work, 'cache');
  for (const folder of [lists, cache]) mkdirSync(join(folder, 'partial'), { recursive: true });
  const options = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  const { code, stderr } = await run('apt-get', ['-q', ...options, 'update'], withQuiet(work));
  if (code !== 0) return `apt-get update failed: ${firstLine(stderr)}`;
  return fetchInto(work, options);
}

async function fetchInto(work, options) {
  let last = '';
  for (const [name, always] of Object.entries(packagesOf)) {
    const wanted = ['--print-uris', '-y', '--no-install-recommends', '-o', 'Debug::NoLocking=1'];
    const plan = await run('apt-get', ['-q', ...options, ...wanted, 'install', name], withQuiet(work));
    if (plan.code === 0) {
      const packages = [...new Set([...always, ...parsePlan(plan.stdout)])];
      const fetched = await run('apt-get', ['-q', ...options, 'download', ...packages], withQuiet(work));
      if (fetched.code === 0) return undefined;
      last ||= fetched.stderr;
    }
    last ||= plan.stderr;
  }
  return `The package could not be fetched: ${firstLine(last)}`;
}

/** The packages that `apt-get --print-uris install` would fetch, from its lines `'URI' name_version_arch.deb …`. */
export function parsePlan(text) {
  return [...text.matchAll(/^'[^']+' ([^_\s]+)_\S+\.deb\b/gm)].map((match) => match[1]);
}

function debsIn(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(folder, name));
}

/** The program unpacked earlier, with the folders of the libraries unpacked beside it. */
export function unpackedRedis(packageFolder) {
  const program = names.map((name) => join(packageFolder, 'usr/bin', name)).find((file) => existsSync(file));
  if (program === undefined) return undefined;
  const folders = ['lib', 'usr/lib'].map((folder) => join(packageFolder, folder)).filter(existsSync);
  const inner = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.includes('linux-gnu'))
      .map((entry) => join(folder, entry.name)),
  );
  const libraries = [...inner, ...folders].join(':');
  return libraries === '' ? { program } : { program, libraryPath: libraries };
}

function withQuiet(cwd) {
  return { env: { ...process.env, ...quiet }, ...(cwd === undefined ? {} : { cwd }) };
}

function firstLine(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => line.startsWith('E:')) ?? lines[0] ?? 'no reason given';
}
