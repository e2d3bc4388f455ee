import { type IndexRef, type SearchEngine } from '../src/engines/engine.ts';
import { meilisearchEngine } from '../src/engines/meilisearch/engine.ts';
import { postgresqlEngine } from '../src/engines/postgresql/engine.ts';
import type { SearchDocument } from '../src/documents/document.ts';
import { Lifecycle, type Stoppable } from '@seneschal/observability';
import { uniqueName, withDatabase } from '@seneschal/testing';
import type { Kysely } from 'kysely';

const url = process.env['SENESCHAL_MEILISEARCH_URL'];
const apiKey = process.env['SENESCHAL_MEILISEARCH_API_KEY'];

/** The Meilisearch that tests may use; undefined when there is none. */
export const testMeilisearch =
  url === undefined ? undefined : { url, apiKey: apiKey ?? null, prefix: uniqueName() };

export const engineNames =
  testMeilisearch === undefined ? (['postgresql'] as const) : (['postgresql', 'meilisearch'] as const);

process.stderr.write(
  testMeilisearch === undefined
    ? 'Meilisearch: NOT tested, as SENESCHAL_MEILISEARCH_URL is not set\n'
    : `Meilisearch: tested at ${testMeilisearch.url}\n`,
);

/** Settings of a world that searches with an engine. */
export function settingsFor(name: (typeof engineNames)[number]): Record<string, string> {
  if (name === 'postgresql' || testMeilisearch === undefined) return {};
  return {
    SENESCHAL_MEILISEARCH_URL: testMeilisearch.url,
    ...(testMeilisearch.apiKey === null ? {} : { SENESCHAL_MEILISEARCH_API_KEY: testMeilisearch.apiKey }),
    SENESCHAL_MEILISEARCH_PREFIX: uniqueName(),
  };
}

/** An engine with a database of its own; what it makes is removed in the end. */
export class EngineBench implements Stoppable {
  readonly engine: SearchEngine;
  readonly db: Kysely<unknown>;
  readonly #lifecycle: Lifecycle;
  #generations = 0;

  private constructor(engine: SearchEngine, db: Kysely<unknown>, lifecycle: Lifecycle) {
    this.engine = engine;
    this.db = db;
    this.#lifecycle = lifecycle;
  }

  static async open(name: (typeof engineNames)[number]): Promise<EngineBench> {
    const lifecycle = new Lifecycle();
    const database = lifecycle.add(await withDatabase());
    const db = database.tables<unknown>();
    const engine =
      name === 'postgresql' || testMeilisearch === undefined
        ? postgresqlEngine(db)
        : meilisearchEngine(testMeilisearch);
    return new EngineBench(engine, db, lifecycle);
  }

  /** An index with some documents, ready to be searched. */
  async index(documents: readonly SearchDocument[] = []): Promise<IndexRef> {
    this.#generations += 1;
    const index = { generation: this.#generations, name: uniqueName(), language: 'english' };
    await this.engine.create(index);
    this.#lifecycle.add({ stop: () => this.engine.drop(index) });
    if (documents.length > 0) await this.engine.load(this.db, index, documents);
    await this.engine.complete(index);
    return index;
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}

let documents = 0;

/** A document of its own event; the newer ones are those made later. */
export function documentWith(text: string, given: Partial<SearchDocument> = {}): SearchDocument {
  documents += 1;
  return {
    eventId: `$event${documents}`,
    roomId: '!room:test.example',
    sender: '@sender:test.example',
    type: 'm.room.message',
    position: documents,
    hasUrl: false,
    text,
    ...given,
  };
}
