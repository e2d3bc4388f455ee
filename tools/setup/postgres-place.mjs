import {
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

import { SetupError } from './errors.mjs';
import { hashOf, makeFolder } from './files.mjs';
import { copyPostgres } from './postgres-binaries.mjs';
import { endProcess, processesIn, run } from './processes.mjs';

/** Where root puts what another user has to reach and cannot reach in the checkout or the data folder. */
export const sharedFolder = '/var/lib/seneschal';

/**
 * Decides as whom PostgreSQL runs, and where its binaries and its database stand. As root it runs as
 * `postgres` or `nobody`, since it refuses root; what that user cannot reach is put below `shared`, and
 * `<dataDir>/postgres` is then a link to it.
 * @param postgres what findPostgres returned
 * @returns {Promise<{folder: string, binaries: string, version: string, account?: {uid: number, gid: number}}>}
 */
export async function findPlace({ dataDir, postgres, log, shared = sharedFolder }) {
  const link = join(dataDir, 'postgres');
  const { version } = postgres;
  if (process.getuid() !== 0) return { folder: ownFolder(link), binaries: postgres.folder, version };
  const account = accountFor(link);
  const folder = await folderFor(account, link, shared, log);
  const inPlace = await asAccount(account, '"$1/bin/postgres" --version', postgres.folder);
  const binaries = inPlace ? postgres.folder : await copyPostgres(postgres, shared);
  if (inPlace || (await asAccount(account, '"$1/bin/postgres" --version', binaries))) {
    return { folder, binaries, version, account: { uid: account.uid, gid: account.gid } };
  }
  throw new SetupError(
    `PostgreSQL's own programs do not run on this machine (as user ${account.name}, from ${binaries}): install PostgreSQL and set SENESCHAL_DATABASE_URL.`,
  );
}

function ownFolder(link) {
  const stat = statSync(link, { throwIfNoEntry: false });
  if (stat === undefined) refuseDangling(link);
  if (stat !== undefined && stat.uid !== process.getuid()) {
    throw new SetupError(
      `${link} belongs to user number ${stat.uid}: start as root or as that user, or set SENESCHAL_DATA_DIR to another folder.`,
    );
  }
  makeFolder(link, 0o700);
  return realpathSync(link);
}

/** The owner of a database that exists, else `postgres`, else `nobody`. */
function accountFor(link) {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const owner = statSync(join(link, 'cluster'), { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) {
    return {
      name: users.find(({ uid }) => uid === owner.uid)?.name ?? String(owner.uid),
      uid: owner.uid,
      gid: owner.gid,
    };
  }
  const found = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (found !== undefined) return found;
  throw new SetupError(
    'PostgreSQL refuses to run as root, and this machine has no user `postgres` or `nobody`: add one, or start as another user.',
  );
}

async function folderFor(account, link, shared, log) {
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there?.isSymbolicLink()) {
    refuseDangling(link);
    return realpathSync(link);
  }
  makeFolder(link, 0o700);
  if (own(link, account) && (await asAccount(account, 'cd "$1" && [ -O . ] && [ -w . ]', link))) {
    return realpathSync(link);
  }
  if (existsSync(join(link, 'cluster'))) {
    throw new SetupError(
      `User ${account.name} cannot reach its database in ${link} any more: let it enter the folders above, or set SENESCHAL_DATA_DIR to another folder.`,
    );
  }
  return linkedFolder(account, link, shared, log);
}

async function linkedFolder(account, link, shared, log) {
  const folder = join(shared, hashOf(resolve(link)).slice(0, 16));
  if (existsSync(folder)) {
    await endOrphans(join(folder, 'cluster'));
    const aside = `${folder}.unused-${Date.now()}`;
    renameSync(folder, aside);
    log.info(`${aside} holds a database that nothing points to any more; delete it when it is not needed.`);
  }
  makeFolder(shared, 0o755);
  makeFolder(folder, 0o700);
  if (!own(folder, account) || !(await asAccount(account, 'cd "$1" && [ -O . ] && [ -w . ]', folder))) {
    throw new SetupError(
      `User ${account.name}, as whom PostgreSQL has to run here, can enter neither ${link} nor ${folder}: set SENESCHAL_DATA_DIR to a folder it can enter.`,
    );
  }
  rmdirSync(link);
  symlinkSync(folder, link);
  return folder;
}

/** Ends servers whose data folder was deleted under them, and so can be reached by nobody. */
async function endOrphans(cluster) {
  for (const orphan of processesIn(cluster)) {
    await endProcess(orphan, [
      ['SIGQUIT', 5000],
      ['SIGKILL', 5000],
    ]);
  }
}

function refuseDangling(link) {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && !existsSync(link)) {
    throw new SetupError(
      `${link} points to a database that is gone: bring it back, or delete the link to begin with an empty one.`,
    );
  }
}

function own(folder, { uid, gid }) {
  try {
    chownSync(folder, uid, gid);
    return true;
  } catch (error) {
    // Some mounts know no owners.
    if (error.code !== 'EPERM' && error.code !== 'EACCES' && error.code !== 'EINVAL') throw error;
    return false;
  }
}

/** Asks the system itself, as modes alone do not tell (access lists, mounts without exec). */
async function asAccount({ uid, gid }, script, path) {
  const { code } = await run('/bin/sh', ['-c', script, 'sh', path], { uid, gid, cwd: '/' });
  return code === 0;
}
