import { closeSync, existsSync, openSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { SetupError } from './errors.mjs';
import { lastLines, limitLog, readText } from './files.mjs';
import { takeLock } from './lock.mjs';
import { answersPostgres, freePort } from './network.mjs';
import { findPostgres } from './postgres-binaries.mjs';
import { ensureCluster, makeSocketFolder, postgresEnvironment } from './postgres-cluster.mjs';
import { findPlace } from './postgres-place.mjs';
import { databaseUrl, parsePostmasterPid, serverArguments, socketFolder } from './postgres-settings.mjs';
import {
  commandLine,
  endProcess,
  identify,
  isAlive,
  processesIn,
  startDetached,
  until,
} from './processes.mjs';

/** After a crash of the machine the server first replays what it had logged. */
const recoveryPatience = 600_000;

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, or takes over the one that an earlier start left running there.
 * @param durable false for tests: a crash of the machine may lose everything
 * @returns {Promise<{url: string, identity: {pid: number}, adopted: boolean, stop(): Promise<void>, kill(): Promise<void>}>}
 * @throws SetupError
 */
export async function startPostgres({ dataDir, log, durable = true, shared }) {
  const place = await findPlace({ dataDir, postgres: findPostgres(), log, shared });
  // The folder may be linked from a copy of the data folder, whose own lock would not tell.
  const lock = takeLock(join(place.folder, 'lock'), `The database in ${place.folder}`);
  try {
    const running = await startIn(place, { durable, log });
    return { ...running, ...stopping(running.identity, lock) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startIn(place, { durable, log }) {
  const { cluster, password } = await ensureCluster({ ...place, durable });
  const sockets = socketFolder(place.folder);
  if (sockets !== undefined) makeSocketFolder(sockets, place.account);
  const server = { ...place, cluster, password, sockets, durable, log };
  const found = runningServer(cluster);
  if (found !== undefined && (await canAdopt(found, server))) return describe(server, found, true);
  if (found !== undefined) await endServer(found.identity);
  await clearStale(cluster, sockets);
  return describe(server, await launch(server), false);
}

function describe(server, { identity, port }, adopted) {
  return { url: databaseUrl({ ...server, port }), identity, adopted };
}

/** The server that runs on the cluster, whoever started it; a process that has its number is not taken for it. */
function runningServer(cluster) {
  const noted = parsePostmasterPid(readText(join(cluster, 'postmaster.pid')));
  const identity = noted && identify(noted.pid);
  if (identity === undefined) return undefined;
  const words = commandLine(noted.pid);
  const at = words.indexOf('-D');
  return at > 0 && words[at + 1] === cluster ? { ...noted, identity, words } : undefined;
}

async function canAdopt({ words, port, identity }, server) {
  const wanted = [program(server), ...serverArguments({ ...server, port })];
  if (wanted.join('\0') !== words.join('\0')) return false;
  const ready = await until(() => isReady(server.cluster, identity) || !isAlive(identity), 10_000);
  return ready && isAlive(identity) && answersPostgres(addressOf(server, port));
}

function isReady(cluster, { pid }) {
  const noted = parsePostmasterPid(readText(join(cluster, 'postmaster.pid')));
  return noted?.pid === pid && noted.status === 'ready';
}

/**
 * PostgreSQL itself refuses a postmaster.pid whose number any process has. It is only put away when no
 * process works in the cluster any more: a backend that outlived its postmaster would damage it.
 */
async function clearStale(cluster, sockets) {
  const file = join(cluster, 'postmaster.pid');
  const noted = parsePostmasterPid(readText(file));
  if (noted === undefined || identify(noted.pid) === undefined) return;
  for (const backend of processesIn(cluster)) {
    await endProcess(backend, [
      ['SIGQUIT', 5000],
      ['SIGKILL', 5000],
    ]);
  }
  rmSync(file, { force: true });
  if (sockets !== undefined) rmSync(join(sockets, '.s.PGSQL.5432.lock'), { force: true });
}

async function launch(server) {
  for (let attempt = 1; ; attempt += 1) {
    const port = server.sockets === undefined ? await freePort() : 5432;
    const identity = await spawnServer(server, port);
    if (await becomesReady(server, identity)) return { identity, port };
    const logFile = join(server.folder, 'postgres.log');
    const reason = lastLines(logFile, 2, /FATAL|PANIC|HINT/);
    // Between looking for a free port and taking it, another program may have taken it.
    if (attempt < 3 && /could not create any TCP|in use/.test(lastLines(logFile, 5))) continue;
    throw new SetupError(`PostgreSQL did not start; ${logFile} says why.\n${reason}`);
  }
}

async function spawnServer(server, port) {
  const logFile = join(server.folder, 'postgres.log');
  limitLog(logFile);
  const output = openSync(logFile, 'a', 0o600);
  try {
    const child = await startDetached(program(server), serverArguments({ ...server, port }), {
      cwd: server.folder,
      env: postgresEnvironment,
      stdio: ['ignore', output, output],
      ...server.account,
    });
    return identify(child.pid) ?? { pid: child.pid };
  } catch (error) {
    throw new SetupError(`PostgreSQL could not be run: ${error.message}.`);
  } finally {
    closeSync(output);
  }
}

async function becomesReady({ cluster, log }, identity) {
  const ended = () => !isAlive(identity);
  const settled = () => isReady(cluster, identity) || ended();
  if (!(await until(settled, 5000, 5))) {
    log.info('PostgreSQL is still recovering from the last crash …');
    if (!(await until(settled, recoveryPatience, 100))) await endServer(identity);
  }
  return !ended();
}

function program({ binaries }) {
  return join(binaries, 'bin', 'postgres');
}

function addressOf({ sockets }, port) {
  return sockets === undefined ? { host: '127.0.0.1', port } : { path: join(sockets, `.s.PGSQL.${port}`) };
}

/** A fast shutdown: sessions are ended, what was committed is on the disk. */
async function endServer(identity) {
  const gone = await endProcess(identity, [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 5000],
  ]);
  if (!gone) throw new SetupError(`PostgreSQL (process ${identity.pid}) does not stop: end it by hand.`);
}

/**
 * Ends, without ceremony, a PostgreSQL that was left running on the data folder.
 * @returns where its files are: the folder that `<dataDir>/postgres` is, or is a link to
 */
export async function killPostgres(dataDir) {
  const link = join(dataDir, 'postgres');
  if (!existsSync(link)) return link;
  const folder = realpathSync(link);
  const found = runningServer(join(folder, 'cluster'));
  if (found !== undefined) {
    await endProcess(found.identity, [
      ['SIGQUIT', 5000],
      ['SIGKILL', 5000],
    ]);
  }
  return folder;
}

function stopping(identity, lock) {
  return {
    stop: async () => {
      await endServer(identity);
      lock.release();
    },
    /** Without waiting for anything; the next start recovers. */
    kill: async () => {
      await endProcess(identity, [
        ['SIGQUIT', 3000],
        ['SIGKILL', 1000],
      ]);
      lock.release();
    },
  };
}
