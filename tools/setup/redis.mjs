import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { SetupError } from './errors.mjs';
import { lastLines, limitLog, randomSecret, readJson, readText, writeWhole } from './files.mjs';
import { freePort } from './network.mjs';
import { commandLine, endProcess, identify, isAlive, startDetached, until } from './processes.mjs';
import { ensureRedis, redisEnvironment } from './redis-binary.mjs';
import { askRedis } from './redis-protocol.mjs';

/** Reading back a large append-only file takes its time. */
const loadingPatience = 300_000;

/**
 * Starts Redis on `<dataDir>/redis`, or takes over the one that an earlier start left running there. It
 * listens on 127.0.0.1 with a random password. The caller holds the lock of the data folder.
 * @param durable false keeps nothing on the disk
 * @param packageFolder where the distribution's package is unpacked when it cannot be installed
 * @returns {Promise<{url: string, identity: {pid: number}, adopted: boolean, binary: {program: string, libraryPath?: string}, stop(): Promise<void>, kill(): Promise<void>}>}
 * @throws SetupError
 */
export async function startRedis({
  dataDir,
  log,
  durable = true,
  packageFolder = join(dataDir, 'redis-package'),
}) {
  const binary = await ensureRedis({ packageFolder, log });
  const folder = join(dataDir, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = runningRedis(folder);
  if (found !== undefined && (await canAdopt(found, { folder, durable })))
    return describe(found, binary, true);
  if (found !== undefined) await end(found.identity);
  return describe(await launch({ folder, durable, binary, log }), binary, false);
}

function describe({ identity, port, password }, binary, adopted) {
  return {
    url: `redis://:${password}@127.0.0.1:${port}/0`,
    identity,
    adopted,
    binary,
    stop: () => end(identity),
    kill: async () => void (await endProcess(identity, [['SIGKILL', 2000]])),
  };
}

/** Ends, without ceremony, a Redis that was left running on the data folder. */
export async function killRedis(dataDir) {
  const found = runningRedis(join(dataDir, 'redis'));
  if (found !== undefined) await endProcess(found.identity, [['SIGKILL', 5000]]);
}

/** What an earlier start noted, when that process is still there and still a Redis on that port. */
function runningRedis(folder) {
  const noted = readJson(join(folder, 'running.json'));
  if (!isAlive(noted?.identity)) return undefined;
  return commandLine(noted.identity.pid).join(' ').includes(`:${noted.port}`) ? noted : undefined;
}

/** With the same settings, and answering for the same process. */
async function canAdopt({ identity, port, password }, { folder, durable }) {
  if (readText(configurationFile(folder)) !== configuration({ folder, port, password, durable }))
    return false;
  const state = await until(() => stateOf({ identity, port, password }), 5000, 50);
  return state === 'ready';
}

function configurationFile(folder) {
  return join(folder, 'redis.conf');
}

/** The whole of redis.conf. The password stands there and not among the arguments, which everybody can read. */
export function configuration({ folder, port, password, durable }) {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
    'daemonize no',
    'databases 64',
    'maxmemory-policy noeviction',
    'save ""',
    `appendonly ${durable ? 'yes' : 'no'}`,
    'appendfsync everysec',
    '',
  ].join('\n');
}

async function launch({ folder, durable, binary, log }) {
  const logFile = join(folder, 'redis.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const password = randomSecret();
    writeWhole(configurationFile(folder), configuration({ folder, port, password, durable }));
    const identity = await spawnServer({ folder, logFile, binary });
    const server = { identity, port, password };
    writeWhole(join(folder, 'running.json'), JSON.stringify(server));
    if (await becomesReady(server, log)) return server;
    // Between looking for a free port and taking it, another program may have taken it.
    if (attempt < 3 && /in use/.test(lastLines(logFile, 5))) continue;
    throw new SetupError(
      `Redis did not start; ${logFile} says why.\n${lastLines(logFile, 2, /#|error|fatal/i)}`,
    );
  }
}

async function spawnServer({ folder, logFile, binary }) {
  limitLog(logFile);
  const output = openSync(logFile, 'a', 0o600);
  try {
    const child = await startDetached(binary.program, [configurationFile(folder)], {
      cwd: folder,
      env: redisEnvironment(binary),
      stdio: ['ignore', output, output],
    });
    return identify(child.pid) ?? { pid: child.pid };
  } catch (error) {
    throw new SetupError(`Redis could not be run: ${error.message}.`);
  } finally {
    closeSync(output);
  }
}

async function becomesReady(server, log) {
  const settled = async () => (await stateOf(server)) ?? (isAlive(server.identity) ? undefined : 'ended');
  let state = await until(settled, 5000, 10);
  if (state === undefined) {
    log.info('Redis is still reading its data …');
    state = await until(settled, loadingPatience, 200);
  }
  if (state === undefined) await end(server.identity);
  return state === 'ready';
}

/** `ready`, or `foreign` when another process answers on the port; undefined while it starts. */
async function stateOf({ identity, port, password }) {
  const [info] = (await askRedis({ port, password }, [['INFO', 'server']])) ?? [];
  if (info === undefined || info.startsWith('-LOADING')) return undefined;
  return Number(/^process_id:(\d+)/m.exec(info)?.[1]) === identity.pid ? 'ready' : 'foreign';
}

async function end(identity) {
  const gone = await endProcess(identity, [
    ['SIGTERM', 20_000],
    ['SIGKILL', 5000],
  ]);
  if (!gone) throw new SetupError(`Redis (process ${identity.pid}) does not stop: end it by hand.`);
}
