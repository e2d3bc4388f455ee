import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '@seneschal/config';
import { purgeRoomJob, roomserver, userapi } from '@seneschal/contracts';
import { Lifecycle } from '@seneschal/observability';
import { openPlatform, type Platform } from '@seneschal/service';
import {
  removeKeys,
  startProcess,
  type TestProcess,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';
import { sql } from 'kysely';

import type { Death } from './mortal-worker.ts';
import { allTables, keysNaming, mayRemain, namesOf, rowsNaming } from './traces.ts';

const creator = '@ishmael:test.example';
const requestedBy = '@admin:test.example';

describe('a purge whose worker is killed', () => {
  const lifecycle = new Lifecycle();
  let settings: Record<string, string>;
  let platform: Platform;
  let worker: TestProcess;

  beforeAll(async () => {
    const { url } = lifecycle.add(await withDatabase());
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-mortal-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true }) });
    const { redisUrl } = testServices();
    const prefix = uniqueName();
    lifecycle.add({ stop: () => removeKeys(redisUrl, prefix) });
    settings = {
      SENESCHAL_SERVER_NAME: 'test.example',
      SENESCHAL_DATA_DIR: folder,
      SENESCHAL_DATABASE_URL: url,
      SENESCHAL_DATABASE_CONNECTIONS: '8',
      SENESCHAL_REDIS_URL: redisUrl,
      SENESCHAL_REDIS_PREFIX: prefix,
      SENESCHAL_LOG_LEVEL: 'silent',
    };
    platform = lifecycle.add(await openPlatform(loadConfig(undefined, settings), { name: 'test' }));
    worker = await startWorker();
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    await lifecycle.stop();
  });

  async function startWorker(): Promise<TestProcess> {
    const started = await startProcess(join(import.meta.dirname, 'mortal-worker.ts'), settings);
    await started.next();
    return started;
  }

  /** A room with an event and something of it in each other component. */
  async function makeRoom(): Promise<string> {
    const { bus, jobs } = platform;
    const room = { creator, profile: {}, preset: 'public_chat', listed: true, isDirect: false } as const;
    const { roomId } = await bus.call(roomserver.createRoom, {
      ...room,
      invite: [],
      initialState: [],
      creationContent: {},
    });
    const content = { msgtype: 'm.text', body: 'Call me Ishmael' };
    await bus.call(roomserver.sendEvent, { roomId, sender: creator, type: 'm.room.message', content });
    await bus.call(userapi.setAccountData, { userId: creator, roomId, type: 'org.example', content: {} });
    await jobs.settled();
    return roomId;
  }

  it.each<[Death, string]>([
    ['wake', 'it has taken the room away and before anybody is told'],
    ['ask', 'it has deleted its own rows and before another component is asked'],
    ['reply', 'another component has deleted its rows and before its reply is taken'],
  ])(
    'G2: at "%s", when %s, is finished by the next worker',
    async (death) => {
      const roomId = await makeRoom();
      const db = platform.database.tables<unknown>();
      const names = await namesOf(db, roomId);
      worker.send({ dieAt: death });
      expect(await worker.next()).toEqual({ armed: death });
      const input = { roomId, block: false, evacuate: false, export: false };
      const { jobId } = await platform.jobs.start(purgeRoomJob, input, { requestedBy });
      await expect(worker.next()).rejects.toThrow('SIGKILL');
      const { rows } = await sql`SELECT FROM roomserver_rooms WHERE room_id = ${roomId}`.execute(db);
      expect(rows).toEqual([]);
      worker = await startWorker();
      const job = await platform.jobs.wait(jobId, 60_000);
      expect(job).toMatchObject({ state: 'completed', done: job?.total });
      const left: string[] = [];
      for (const table of (await allTables(db)).filter((one) => !(one in mayRemain))) {
        if ((await rowsNaming(db, table, names)) > 0) left.push(table);
      }
      const redis = { url: platform.config.redis_url, prefix: platform.config.redis_prefix };
      expect([left, await keysNaming(redis, names)]).toEqual([[], []]);
    },
    90_000,
  );
});
