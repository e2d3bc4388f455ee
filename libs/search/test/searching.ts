import { sql } from 'kysely';

import { type Job, roomserver, search as searchContract, type SearchStatus } from '@seneschal/contracts';
import { roomserverReads } from '@seneschal/roomserver';
import { startWorld, type TestAnswer, TestClient, type World, type WorldOptions } from '@seneschal/testing';

import type { IndexedDocument } from '../src/engines/engine.ts';
import { openEngines } from '../src/engines/open-engines.ts';
import { searchReads } from '../src/index.ts';
import { liveIndex } from '../src/storage/indexes.ts';
import type { SearchTables } from '../src/storage/tables.ts';
import { documentWith, type engineNames, settingsFor } from './engines.ts';

export interface Answer {
  count: number;
  results: {
    rank: number;
    result: { event_id: string; room_id: string; sender: string; content: Record<string, unknown> };
    context?: {
      start: string;
      end: string;
      events_before: { event_id: string }[];
      events_after: { event_id: string }[];
      profile_info?: Record<string, { displayname?: string }>;
    };
  }[];
  highlights: string[];
  state?: Record<string, { type: string }[]>;
  groups?: Record<string, Record<string, { order: number; results: string[]; next_batch?: string }>>;
  next_batch?: string;
}

/** A world that searches with one of the engines, and short words for what these tests do in it. */
export class SearchStage {
  readonly world: World;
  readonly user: TestClient;
  #sent = 0;

  private constructor(world: World, user: TestClient) {
    this.world = world;
    this.user = user;
  }

  static async open(engine: (typeof engineNames)[number], options: WorldOptions = {}): Promise<SearchStage> {
    const settings = { ...settingsFor(engine), ...options.settings };
    const world = await startWorld({ ...options, settings });
    return new SearchStage(world, await world.register('user', { displayname: 'The User' }));
  }

  /** Removes what was put into a shared engine. */
  async stop(): Promise<void> {
    const { database, config } = this.world.homeserver.platform;
    const live = await liveIndex(database.tables<SearchTables>());
    if (live !== undefined) await openEngines(database, config).of(live.engine)?.drop(live);
    await this.world.stop();
  }

  /** A server with other settings on the same database. */
  async beside(settings: Record<string, string>): Promise<SearchStage> {
    const url = this.world.homeserver.platform.config.database_url;
    const world = await startWorld({ settings: { ...settings, SENESCHAL_DATABASE_URL: url } });
    return new SearchStage(world, new TestClient(world.url, this.user));
  }

  /** Sends an event; answers its ID. */
  async send(by: TestClient, roomId: string, content: object, type = 'm.room.message'): Promise<string> {
    this.#sent += 1;
    const path = `/rooms/${encodeURIComponent(roomId)}/send/${type}/t${this.#sent}`;
    return (await by.call('PUT', path, content))['event_id'] as string;
  }

  say(by: TestClient, roomId: string, body: string): Promise<string> {
    return this.send(by, roomId, { msgtype: 'm.text', body });
  }

  edit(by: TestClient, roomId: string, eventId: string, body: string): Promise<string> {
    return this.send(by, roomId, {
      msgtype: 'm.text',
      body: `* ${body}`,
      'm.new_content': { msgtype: 'm.text', body },
      'm.relates_to': { rel_type: 'm.replace', event_id: eventId },
    });
  }

  async redact(by: TestClient, roomId: string, eventId: string): Promise<string> {
    this.#sent += 1;
    const path = `/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/t${this.#sent}`;
    return (await by.call('PUT', path, {}))['event_id'] as string;
  }

  setState(by: TestClient, roomId: string, type: string, content: object): Promise<unknown> {
    return by.call('PUT', `/rooms/${encodeURIComponent(roomId)}/state/${type}/`, content);
  }

  ask(by: TestClient, criteria: object, nextBatch?: string): Promise<TestAnswer> {
    const body = { search_categories: { room_events: criteria } };
    const query = nextBatch === undefined ? {} : { query: { next_batch: nextBatch } };
    return by.request('POST', '/_matrix/client/v3/search', { body, ...query });
  }

  async search(by: TestClient, term: string, criteria: object = {}, nextBatch?: string): Promise<Answer> {
    const answer = await this.ask(by, { search_term: term, order_by: 'recent', ...criteria }, nextBatch);
    if (answer.status !== 200) throw new Error(`search: ${answer.status} ${answer.text}`);
    return (answer.body['search_categories'] as { room_events: Answer }).room_events;
  }

  /** IDs of what is found, the newest first. */
  async find(by: TestClient, term: string, criteria: object = {}): Promise<string[]> {
    await this.world.settled();
    const { results } = await this.search(by, term, criteria);
    return results.map(({ result }) => result.event_id);
  }

  /** Sends many messages, each with the word `swell`. */
  async sayMany(roomId: string, count: number): Promise<void> {
    const { bus } = this.world.homeserver.platform;
    const sender = this.user.userId;
    for (let sent = 0; sent < count;) {
      const batch = Array.from({ length: Math.min(100, count - sent) }, (_, index) => sent + index);
      await Promise.all(
        batch.map((number) => {
          const content = { msgtype: 'm.text', body: `swell number ${number}` };
          return bus.call(roomserver.sendEvent, { roomId, sender, type: 'm.room.message', content });
        }),
      );
      sent += batch.length;
    }
    await this.world.settled();
  }

  /** Has everything, or one room, indexed anew; answers the job when it has ended. */
  async reindex(roomId?: string): Promise<Job> {
    const { jobs } = this.world.homeserver.platform;
    const { jobId } =
      roomId === undefined
        ? await jobs.start(searchContract.reindex, {}, { requestedBy: '@admin:test.example' })
        : await jobs.start(searchContract.reindexRoom, { roomId }, { requestedBy: '@admin:test.example' });
    const job = await jobs.wait(jobId, 25_000);
    if (job === undefined) throw new Error('The job is gone.');
    return job;
  }

  /** How many events can be found, counted in the rooms. */
  async searchable(): Promise<number> {
    const found = await sql<{ count: number }>`
      SELECT count(*) FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
      WHERE type IN ('m.room.message', 'm.room.name', 'm.room.topic') AND redacted_by IS NULL
        AND json LIKE '{%' AND json NOT LIKE '%"m.replace"%'
    `.execute(this.world.sql);
    return found.rows[0]?.count ?? 0;
  }

  async positionOf(eventId: string): Promise<number> {
    const found = await sql<{ position: number }>`
      SELECT position FROM roomserver_events WHERE event_id = ${eventId}
    `.execute(this.world.sql);
    return found.rows[0]?.position ?? 0;
  }

  status(roomId?: string): Promise<SearchStatus> {
    const { database, config, logger } = this.world.homeserver.platform;
    const reads = searchReads({
      database,
      config,
      logger,
      roomserver: roomserverReads(database, logger, {
        ignoredUsers: async () => [],
        invitesBlockedBy: async () => new Set<string>(),
      }),
    });
    return reads.status({ compare: true, ...(roomId === undefined ? {} : { roomId }) });
  }

  /** Writes documents into the index that is searched, past everything that knows better. */
  async spoil(documents: readonly (IndexedDocument & { roomId: string })[]): Promise<void> {
    const { database, config } = this.world.homeserver.platform;
    const live = await liveIndex(database.tables<SearchTables>());
    const engine = live && openEngines(database, config).of(live.engine);
    if (live === undefined || engine === undefined) throw new Error('There is no index.');
    const put = documents.map(({ text, ...given }) => documentWith(text, given));
    await engine.write(database.tables(), live, { put, remove: [] });
  }

  /** Searches all the time, and counts the answers that lack an event. */
  searchUntil(eventId: string, term: string): { stop(): Promise<{ incomplete: number; asked: number }> } {
    let isOver = false;
    const loop = async (): Promise<{ incomplete: number; asked: number }> => {
      const counts = { incomplete: 0, asked: 0 };
      const goesOn = (): boolean => !isOver;
      while (goesOn()) {
        const { results } = await this.search(this.user, term);
        counts.asked += 1;
        if (!results.some(({ result }) => result.event_id === eventId)) counts.incomplete += 1;
      }
      return counts;
    };
    const running = loop();
    return {
      stop: () => {
        isOver = true;
        return running;
      },
    };
  }

  purge(roomId: string): Promise<{ removed: number }> {
    return this.world.homeserver.platform.bus.call(searchContract.purgeRoom, { roomId });
  }
}
