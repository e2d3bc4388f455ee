import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '@seneschal/config';
import { type Job, purgeRoomsJob, roomserver, userapi } from '@seneschal/contracts';
import { openPlatform, StartError } from '@seneschal/service';
import { removeKeys, startBus, testServices, uniqueName, withDatabase } from '@seneschal/testing';

import { chooseComponents, componentNames } from '../src/index.ts';
import { startWorker } from '../src/worker.ts';

describe('the components of a worker', () => {
  it('are those that are named, in the order in which they are started', () => {
    expect(chooseComponents(['syncapi', 'userapi'])).toEqual(['userapi', 'syncapi']);
    expect(chooseComponents([])).toEqual(componentNames);
  });

  it('are refused when there is no such one', () => {
    expect(() => chooseComponents(['userapi', 'mediaapi'])).toThrow(StartError);
    expect(() => chooseComponents(['toString'])).toThrow(/no component toString/);
  });
});

describe('a worker', () => {
  it('does the commands of its components and no others', async () => {
    const database = await withDatabase();
    const prefix = uniqueName();
    const { redisUrl } = testServices();
    const config = loadConfig(undefined, {
      SENESCHAL_LISTEN: '127.0.0.1:0',
      SENESCHAL_DATABASE_URL: database.url,
      SENESCHAL_REDIS_URL: redisUrl,
      SENESCHAL_REDIS_PREFIX: prefix,
      SENESCHAL_LOG_LEVEL: 'silent',
    });
    const worker = await startWorker(config, ['userapi']);
    const started = await startBus(database.database, { prefix });
    const account = { localpart: 'alice', passwordHash: null, accountType: 1 as const };
    expect(await started.bus.call(userapi.createAccount, account)).toEqual({ userId: '@alice:localhost' });
    const forgetting = started.bus.call(
      roomserver.forgetRoom,
      { roomId: '!room:localhost', userId: '@alice:localhost' },
      { timeoutMs: 300 },
    );
    await expect(forgetting).rejects.toMatchObject({ status: 504 });
    await worker.stop();
    await started.stop();
    await removeKeys(redisUrl, prefix);
    await database.stop();
  });

  it('follows the purge policy together with another: one job is started, and one of them does it', async () => {
    const database = await withDatabase();
    const prefix = uniqueName();
    const { redisUrl } = testServices();
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-worker-'));
    const config = loadConfig(undefined, {
      SENESCHAL_LISTEN: '127.0.0.1:0',
      SENESCHAL_DATA_DIR: folder,
      SENESCHAL_DATABASE_URL: database.url,
      SENESCHAL_REDIS_URL: redisUrl,
      SENESCHAL_REDIS_PREFIX: prefix,
      SENESCHAL_LOG_LEVEL: 'silent',
      SENESCHAL_PURGE_EMPTY_AFTER: '1d',
      SENESCHAL_PURGE_EVERY: '365d',
    });
    const workers = await Promise.all([1, 2].map(() => startWorker(config, ['roomserver'])));
    const platform = await openPlatform(config, { name: 'test' });
    const runs = async (): Promise<Job[]> =>
      (await platform.jobs.reads.list({ kind: purgeRoomsJob.name }, { limit: 10 })).rows;
    while ((await runs()).length === 0) {
      // The workers look as soon as they are up.
    }
    await platform.jobs.settled();
    expect(await runs()).toMatchObject([{ state: 'completed', requestedBy: 'purge policy', attempts: 0 }]);
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(await runs()).toHaveLength(1);
    await platform.stop();
    await removeKeys(redisUrl, prefix);
    await database.stop();
    await rm(folder, { recursive: true });
  });
});
