import { isDeepStrictEqual } from 'node:util';

import type { Index, Settings } from 'meilisearch';

import { EngineRefused, type IndexRef } from '../engine.ts';
import type { MeilisearchServer } from './server.ts';

/** As far as one may page by rank: an engine has to put everything before a place in order first. */
export const maximumTotalHits = 11_000;

const settingsTimeoutMs = 60_000;
/** From this version on filters can be told apart by what they are used for, which makes indexing faster. */
const granularFiltersSince = 14;

/** Made before the first document comes: afterwards they would cost about three times the work. */
export function indexSettings(minorVersion: number): Settings {
  const equal = ['room', 'sender', 'type', 'has_url'];
  return {
    searchableAttributes: ['text'],
    displayedAttributes: ['event_id', 'position', 'text'],
    filterableAttributes:
      minorVersion >= granularFiltersSince
        ? [features(equal, false), features(['position'], true)]
        : [...equal, 'position'],
    sortableAttributes: ['position'],
    // First, as `recent` means that nothing else counts; without a `sort` in the query it does nothing.
    rankingRules: ['sort', 'words', 'typo', 'proximity', 'attribute', 'exactness', 'position:desc'],
    // How near words are to each other within a message would cost most of the indexing.
    proximityPrecision: 'byAttribute',
    facetSearch: false,
    pagination: { maxTotalHits: maximumTotalHits },
  };
}

function features(attributePatterns: string[], comparison: boolean): GranularFilter {
  return { attributePatterns, features: { facetSearch: false, filter: { equality: true, comparison } } };
}

type GranularFilter = Exclude<NonNullable<Settings['filterableAttributes']>[number], string>;

/** Makes the settings of an index and makes sure of them. */
export async function applySettings(
  server: MeilisearchServer,
  index: Index,
  { generation }: IndexRef,
): Promise<void> {
  const { minor } = await server.version();
  const wanted = indexSettings(minor);
  await server.succeed(() => index.updateSettings(wanted), settingsTimeoutMs);
  const found = await server.ask(() => index.getSettings());
  const different = differences(wanted, found);
  if (different.length > 0) {
    throw new EngineRefused(
      `Meilisearch did not take the settings ${different.join(', ')} of index ${generation}.`,
    );
  }
}

/** Names of the settings that are not as they were wanted. */
export function differences(wanted: Settings, found: Settings): string[] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    isDeepStrictEqual(found[name as keyof Settings], value) ? [] : [name],
  );
}
