import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { dataFolderMode, makeFolder, writeWhole } from './files.mjs';
import { holderOf, takeLock } from './lock.mjs';
import { startPostgres } from './postgres.mjs';
import { isAlive } from './processes.mjs';
import { startRedis } from './redis.mjs';

/**
 * Starts PostgreSQL and Redis on a data folder, or takes their addresses as given, and notes the addresses
 * in `<dataDir>/services.json` for programs that are run beside.
 * @param given {databaseUrl?: string, redisUrl?: string}: services that run already
 * @param durable false for tests and demonstrations: nothing outlives a crash of the machine
 * @returns {Promise<{databaseUrl: string, redisUrl: string, pids: {postgres?: number, redis?: number}, redisBinary?: {program: string, libraryPath?: string}, died(): string | undefined, stop(): Promise<void>, kill(): Promise<void>}>}
 * @throws SetupError, with everything stopped that was started
 */
export async function startServices({ dataDir, log, durable = true, given = {}, packageFolder, shared }) {
  makeFolder(dataDir, dataFolderMode);
  const lock = takeLock(join(dataDir, 'lock'), `The data folder ${dataDir}`);
  const started = await Promise.allSettled([
    given.databaseUrl === undefined
      ? log.step('PostgreSQL', () => startPostgres({ dataDir, log, durable, shared }))
      : undefined,
    given.redisUrl === undefined
      ? log.step('Redis', () => startRedis({ dataDir, log, durable, packageFolder }))
      : undefined,
  ]);
  const [postgres, redis] = started.map(({ value }) => value);
  const all = { postgres, redis, dataDir, lock };
  const failed = started.find(({ status }) => status === 'rejected');
  if (failed !== undefined) {
    await stopAll(all, 'stop');
    throw failed.reason;
  }
  const databaseUrl = given.databaseUrl ?? postgres.url;
  const redisUrl = given.redisUrl ?? redis.url;
  writeWhole(servicesFile(dataDir), JSON.stringify({ databaseUrl, redisUrl }));
  return {
    databaseUrl,
    redisUrl,
    pids: pidsOf(all),
    redisBinary: redis?.binary,
    died: () => died(all),
    stop: () => stopAll(all, 'stop'),
    kill: () => stopAll(all, 'kill'),
  };
}

/** The file that names the addresses of the services while they run. */
export function servicesFile(dataDir) {
  return join(dataDir, 'services.json');
}

/** Is another program at work on the data folder? */
export function isInUse(dataDir) {
  return holderOf(join(dataDir, 'lock')) !== undefined;
}

function pidsOf({ postgres, redis }) {
  return {
    ...(postgres === undefined ? {} : { postgres: postgres.identity.pid }),
    ...(redis === undefined ? {} : { redis: redis.identity.pid }),
  };
}

/** The name of a service that ended by itself, or undefined. */
function died({ postgres, redis }) {
  if (postgres !== undefined && !isAlive(postgres.identity)) return 'PostgreSQL';
  return redis !== undefined && !isAlive(redis.identity) ? 'Redis' : undefined;
}

/** Redis first: it may be lost, and PostgreSQL may not. */
async function stopAll({ postgres, redis, dataDir, lock }, how) {
  rmSync(servicesFile(dataDir), { force: true });
  const ended = [];
  for (const service of [redis, postgres]) {
    if (service !== undefined) ended.push(...(await Promise.allSettled([service[how]()])));
  }
  lock.release();
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
