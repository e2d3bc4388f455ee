import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { accountTypes, roomserver, type SyncRequest, userapi } from '@seneschal/contracts';
import { loadConfig } from '@seneschal/config';
import type { JsonObject } from '@seneschal/matrix';
import { createLogger, Lifecycle, type Stoppable } from '@seneschal/observability';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import { openPlatform, type Platform } from '@seneschal/service';
import {
  type PrivateRedis,
  startPrivateRedis,
  startProcess,
  type TestProcess,
  withDatabase,
} from '@seneschal/testing';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { syncapiMigrations, type SyncapiReads, syncapiReads } from '../src/index.ts';

/** A gateway in this process, and the components in another one. */
export class Gateway implements Stoppable {
  readonly platform: Platform;
  readonly redis: PrivateRedis;
  readonly worker: TestProcess;
  readonly syncapi: SyncapiReads;
  readonly #lifecycle: Lifecycle;
  readonly #looked = new Set<() => void>();

  private constructor(parts: Pick<Gateway, 'platform' | 'redis' | 'worker'> & { lifecycle: Lifecycle }) {
    this.platform = parts.platform;
    this.redis = parts.redis;
    this.worker = parts.worker;
    this.#lifecycle = parts.lifecycle;
    const { bus, config, database, logger } = this.platform;
    const reads = roomserverReads(database, logger, userapiReads(database, config));
    const watched = {
      ...reads,
      position: async () => {
        for (const looked of this.#looked) looked();
        return reads.position();
      },
    };
    const users = userapiReads(database, config);
    this.syncapi = syncapiReads({ bus, database, logger, roomserver: watched, userapi: users });
    this.#lifecycle.add(this.syncapi);
  }

  static async open(components: readonly string[]): Promise<Gateway> {
    const lifecycle = new Lifecycle();
    const redis = lifecycle.add(await startPrivateRedis());
    const database = lifecycle.add(
      await withDatabase({
        userapi: userapiMigrations,
        roomserver: roomserverMigrations,
        syncapi: syncapiMigrations,
      }),
    );
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-sync-'));
    lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    const settings = {
      SENESCHAL_SERVER_NAME: 'test.example',
      SENESCHAL_DATA_DIR: folder,
      SENESCHAL_DATABASE_URL: database.url,
      SENESCHAL_REDIS_URL: redis.url,
      SENESCHAL_LOG_LEVEL: 'silent',
    };
    const worker = lifecycle.add(
      await startProcess(join(import.meta.dirname, 'worker.ts'), settings, components),
    );
    await worker.next();
    const config = loadConfig(undefined, settings);
    const platform = lifecycle.add(
      await openPlatform(config, { name: 'gateway', logger: createLogger('silent') }),
    );
    return new Gateway({ platform, redis, worker, lifecycle });
  }

  /** Makes a user, and a room of theirs. */
  async room(localpart: string): Promise<{ userId: string; roomId: string }> {
    const { bus } = this.platform;
    const account = { localpart, passwordHash: null, accountType: accountTypes.user };
    const { userId } = await bus.call(userapi.createAccount, account);
    const { roomId } = await bus.call(roomserver.createRoom, {
      creator: userId,
      profile: {},
      preset: 'private_chat',
      listed: false,
      isDirect: false,
      invite: [],
      initialState: [],
      creationContent: {},
    });
    return { userId, roomId };
  }

  async say(room: { userId: string; roomId: string }, body: string): Promise<void> {
    const { userId: sender, roomId } = room;
    const message = { roomId, sender, type: 'm.room.message', content: { msgtype: 'm.text', body } };
    await this.platform.bus.call(roomserver.sendEvent, message);
  }

  sync(userId: string, more: Partial<SyncRequest> = {}): Promise<JsonObject> {
    const signal = new AbortController().signal;
    const request = { userId, deviceId: 'D', timeoutMs: 0, fullState: false, signal };
    return this.syncapi.sync({ ...request, ...more });
  }

  async token(userId: string): Promise<string> {
    return (await this.sync(userId))['next_batch'] as string;
  }

  /** A long-poll that has looked, has found nothing, and waits. */
  async waiting(userId: string, since: string, timeoutMs = 20_000): Promise<{ answer: Promise<JsonObject> }> {
    let looks = 0;
    const waits = new Promise<void>((resolve) => {
      const looked = (): void => {
        looks += 1;
        if (looks < 2) return;
        this.#looked.delete(looked);
        resolve();
      };
      this.#looked.add(looked);
    });
    const answer = this.sync(userId, { since, timeoutMs });
    await waits;
    return { answer };
  }

  /** When the last change was committed, in ms since 1970, by the clock that all processes of a machine share. */
  async changedAt(): Promise<number> {
    const db = this.platform.database.tables<{ roomserver_output: { created_ts: number } }>();
    const query = db.selectFrom('roomserver_output').select((of) => of.fn.max('created_ts').as('at'));
    return (await query.executeTakeFirstOrThrow()).at;
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}
