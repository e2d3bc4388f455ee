import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { SetupError } from './errors.mjs';
import { randomSecret, readText } from './files.mjs';
import { run } from './processes.mjs';

/** The little that PostgreSQL needs of the environment; nothing of the user's own settings. */
export const postgresEnvironment = { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Makes the database in `<folder>/cluster` when there is none.
 * @returns {Promise<{cluster: string, password: string, made: boolean}>}
 */
export async function ensureCluster({ folder, binaries, version, account, durable }) {
  const cluster = join(folder, 'cluster');
  if (existsSync(cluster)) {
    checkVersion(cluster, version);
    return { cluster, password: passwordOf(folder), made: false };
  }
  const password = writePassword(folder, account);
  const unfinished = join(folder, 'cluster.new');
  rmSync(unfinished, { recursive: true, force: true });
  const options = { cwd: folder, env: postgresEnvironment, ...account };
  await check(
    'could not make its database',
    run(join(binaries, 'bin', 'initdb'), initArguments(folder, unfinished, durable), options),
  );
  // Without a running server, so that nobody ever sees it without the database.
  await check(
    'could not make its database',
    run(join(binaries, 'bin', 'postgres'), ['--single', '-F', '-D', unfinished, 'postgres'], {
      ...options,
      input: 'CREATE DATABASE seneschal TEMPLATE template0\n',
    }),
  );
  // The name comes last: a half-made database is never taken for one.
  renameSync(unfinished, cluster);
  return { cluster, password, made: true };
}

function initArguments(folder, cluster, durable) {
  return [
    ['-D', cluster, '-U', 'seneschal', '--locale=C', '--encoding=UTF8', '--auth=scram-sha-256'],
    [`--pwfile=${join(folder, 'password')}`, '--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ].flat();
}

async function check(what, running) {
  const { code, stdout, stderr } = await running;
  if (code === 0) return;
  const reason = `${stdout}\n${stderr}`.trim().split('\n').slice(-3).join('\n');
  throw new SetupError(`PostgreSQL ${what}: check the disk and what it says here.\n${reason}`);
}

function checkVersion(cluster, version) {
  const found = readText(join(cluster, 'PG_VERSION'))?.trim();
  const wanted = version.split('.')[0];
  if (found === undefined || found === wanted) return;
  throw new SetupError(
    `The database in ${cluster} is of PostgreSQL ${found}, and this is ${wanted}: move it over with pg_dump of that version.`,
  );
}

function passwordOf(folder) {
  const password = readText(join(folder, 'password'))?.trim();
  if (password !== undefined && password !== '') return password;
  throw new SetupError(
    `${join(folder, 'password')} is missing, without which the database cannot be opened.`,
  );
}

function writePassword(folder, account) {
  const file = join(folder, 'password');
  rmSync(file, { force: true });
  const password = randomSecret();
  const handle = openSync(file, 'wx', 0o600);
  writeSync(handle, password);
  closeSync(handle);
  giveTo(account, file);
  return password;
}

/** Makes the folder that the socket stands in, open to the server's user and root alone. */
export function makeSocketFolder(folder, account) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  giveTo(account, folder);
}

function giveTo(account, path) {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}
