import { createLogger, Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';
import { type Job, search } from '@seneschal/contracts';
import { Jobs, jobsMigrations } from '@seneschal/jobs';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import {
  removeKeys,
  startBus,
  type TestDatabase,
  testServices,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';
import { sql } from 'kysely';

import type { SearchEngine } from '../src/engines/engine.ts';
import { type Engines, openEngines } from '../src/engines/open-engines.ts';
import { searchMigrations } from '../src/index.ts';
import { reindexHandler } from '../src/jobs/reindex.ts';
import { liveIndex } from '../src/storage/indexes.ts';
import type { SearchTables } from '../src/storage/tables.ts';
import { type engineNames, testMeilisearch } from './engines.ts';

/** A database with many messages of one room, and processes that reindex them. */
export class ReindexStage implements Stoppable {
  readonly database: TestDatabase;
  readonly engines: Engines;
  readonly prefix = uniqueName();
  readonly lines: string[] = [];
  readonly logger: Logger;
  readonly #lifecycle: Lifecycle;

  private constructor(database: TestDatabase, engines: Engines, lifecycle: Lifecycle) {
    this.database = database;
    this.engines = engines;
    this.#lifecycle = lifecycle;
    this.logger = createLogger('info', { write: (line) => void this.lines.push(line) });
  }

  static async open(
    engine: (typeof engineNames)[number],
    events: number,
    given = testMeilisearch,
  ): Promise<ReindexStage> {
    const lifecycle = new Lifecycle();
    const database = lifecycle.add(
      await withDatabase({
        roomserver: roomserverMigrations,
        search: searchMigrations,
        jobs: jobsMigrations,
      }),
    );
    const meilisearch = engine === 'meilisearch' ? given : undefined;
    const engines = openEngines(database.database, {
      meilisearch_url: meilisearch?.url ?? null,
      meilisearch_api_key: meilisearch?.apiKey ?? null,
      meilisearch_prefix: meilisearch?.prefix ?? 'unused',
      search_language: 'english',
    });
    const stage = new ReindexStage(database, engines, lifecycle);
    lifecycle.add({ stop: () => stage.#dropIndex() });
    lifecycle.add({ stop: () => removeKeys(testServices().redisUrl, stage.prefix) });
    await seed(database, events);
    return stage;
  }

  /** What one worker process has; the engine may be one that fails. */
  async worker(
    change: (engine: SearchEngine) => SearchEngine = (engine) => engine,
  ): Promise<{ jobs: Jobs } & Stoppable> {
    const lifecycle = new Lifecycle();
    const { database } = this.database;
    const { bus } = lifecycle.add(await startBus(database, { prefix: this.prefix, logger: this.logger }));
    const jobs = lifecycle.add(
      await Jobs.open({
        bus,
        database,
        logger: this.logger,
        concurrency: 1,
        retentionMs: 1e9,
        timing: quick,
      }),
    );
    const preferred = change(this.engines.preferred);
    const engines = { ...this.engines, preferred, of: () => preferred };
    const roomserver = roomserverReads(database, this.logger, {
      ignoredUsers: async () => [],
      invitesBlockedBy: async () => new Set<string>(),
    });
    const db = this.database.tables<SearchTables>();
    lifecycle.add(await jobs.serve('search', [reindexHandler({ db, engines, roomserver })]));
    this.#lifecycle.add(lifecycle);
    return { jobs, stop: () => lifecycle.stop() };
  }

  /** How many documents can be searched. */
  async documents(): Promise<number> {
    const live = await liveIndex(this.database.tables<SearchTables>());
    return live === undefined ? 0 : this.engines.preferred.count(live);
  }

  async #dropIndex(): Promise<void> {
    const live = await liveIndex(this.database.tables<SearchTables>());
    if (live !== undefined) await this.engines.preferred.drop(live);
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}

const quick = { leaseMs: 1500, heartbeatMs: 200, reconcileMs: 200, backOffMs: 20, maximumAttempts: 6 };

/** Starts a reindex and waits for it. */
export async function reindexAll(jobs: Jobs): Promise<Job> {
  const { jobId } = await jobs.start(search.reindex, {}, { requestedBy: '@admin:x' });
  const job = await jobs.wait(jobId, 60_000);
  if (job === undefined) throw new Error('The job is gone.');
  return job;
}

/** Waits until a job has dealt with so many events. */
export async function untilDone(jobs: Jobs, jobId: string, events: number): Promise<void> {
  for (let job = await jobs.reads.get(jobId); (job?.done ?? 0) < events; job = await jobs.reads.get(jobId)) {
    await jobs.changeAfter(jobId, job?.version ?? 0, 5000, new AbortController().signal);
  }
}

async function seed({ database }: TestDatabase, events: number): Promise<void> {
  const db = database.tables<unknown>();
  await sql`INSERT INTO roomserver_rooms (room_id, room_version, forward_extremities, depth, last_position,
    state_position, joined_members, invited_members, created_ts) VALUES ('!a:x', '12', '{}', 1, 1, 1, 0, 0, 0)`.execute(
    db,
  );
  await sql`
    INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
    SELECT n, room_nid, '$e' || n, 'm.room.message', '@a:x', json_build_object('type', 'm.room.message',
      'sender', '@a:x', 'origin_server_ts', n, 'content', json_build_object('body', 'message number ' || n))
    FROM roomserver_rooms, generate_series(1, ${events}::int) AS n
  `.execute(db);
  const fact = { kind: 'room_forgotten', roomId: '!a:x', userId: '@a:x' };
  await sql`INSERT INTO roomserver_output (position, fact, created_ts)
    VALUES (${events}, ${JSON.stringify(fact)}::jsonb, 0)`.execute(db);
}
