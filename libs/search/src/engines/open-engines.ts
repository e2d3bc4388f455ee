import type { Config } from '@seneschal/config';
import type { Database } from '@seneschal/database';

import type { EngineName, SearchEngine } from './engine.ts';
import { meilisearchEngine } from './meilisearch/engine.ts';
import { postgresqlEngine } from './postgresql/engine.ts';

export type EngineConfig = Pick<
  Config,
  'meilisearch_url' | 'meilisearch_api_key' | 'meilisearch_prefix' | 'search_language'
>;

/** The engines that this process can use. */
export interface Engines {
  /** The one that new indexes are made in. */
  readonly preferred: SearchEngine;
  /** Undefined when an engine is not configured any more. */
  of(name: EngineName): SearchEngine | undefined;
  /** The language of new indexes. */
  readonly language: string;
}

/** PostgreSQL always, so that its index serves while one in Meilisearch is made for the first time. */
export function openEngines(database: Database, config: EngineConfig): Engines {
  const postgresql = postgresqlEngine(database.tables());
  const { meilisearch_url: url, meilisearch_api_key: apiKey, meilisearch_prefix: prefix } = config;
  const meilisearch = url === null ? undefined : meilisearchEngine({ url, apiKey, prefix });
  const engines: Record<EngineName, SearchEngine | undefined> = { postgresql, meilisearch };
  return {
    preferred: meilisearch ?? postgresql,
    of: (name) => engines[name],
    language: config.search_language,
  };
}
