import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { dataFolderMode, root } from './files.mjs';
import { killPostgres } from './postgres.mjs';
import { killRedis } from './redis.mjs';
import { isInUse, startServices } from './services.mjs';

const prefix = 'run-';
/** Between making its folder and locking it a run needs less than this. */
const youngest = 60_000;

/**
 * Starts services on a fresh folder below .cache, which is removed when they stop. What runs that were
 * killed left behind is removed first.
 * @param kind test, demo or bench; SENESCHAL_<KIND>_DATABASE_URL and _REDIS_URL give services that run already
 * @returns what startServices returns, and `dataDir`
 */
export async function startTemporaryServices({ kind, log, durable, env }) {
  const parent = join(root, '.cache');
  mkdirSync(parent, { recursive: true });
  await removeLeftovers(parent);
  const dataDir = mkdtempSync(join(parent, `${prefix}${kind}-`));
  chmodSync(dataDir, dataFolderMode);
  const given = {
    databaseUrl: env[`SENESCHAL_${kind.toUpperCase()}_DATABASE_URL`] ?? env.SENESCHAL_DATABASE_URL,
    redisUrl: env[`SENESCHAL_${kind.toUpperCase()}_REDIS_URL`] ?? env.SENESCHAL_REDIS_URL,
  };
  const packageFolder = join(parent, 'redis-package');
  try {
    const services = await startServices({ dataDir, log, durable, given, packageFolder });
    const ending = (how) => async () => {
      await services[how]();
      await remove(dataDir);
    };
    return { ...services, dataDir, stop: ending('kill'), kill: ending('kill') };
  } catch (error) {
    await remove(dataDir);
    throw error;
  }
}

async function removeLeftovers(parent) {
  for (const name of readdirSync(parent).filter((one) => one.startsWith(prefix))) {
    const folder = join(parent, name);
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat === undefined || Date.now() - stat.mtimeMs < youngest || isInUse(folder)) continue;
    await remove(folder);
  }
}

async function remove(dataDir) {
  const options = { recursive: true, force: true, maxRetries: 5 };
  await killRedis(dataDir);
  const database = await killPostgres(dataDir);
  if (existsSync(database)) rmSync(database, options);
  rmSync(dataDir, options);
}
