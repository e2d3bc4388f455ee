import { search as searchContract } from '@seneschal/contracts';
import {
  startWorld,
  type TestAnswer,
  type TestClient,
  type World,
  type WorldOptions,
} from '@seneschal/testing';

import { type engineNames, settingsFor } from './engines.ts';

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
    await this.world.stop();
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

  purge(roomId: string): Promise<{ removed: number }> {
    return this.world.homeserver.platform.bus.call(searchContract.purgeRoom, { roomId });
  }
}
