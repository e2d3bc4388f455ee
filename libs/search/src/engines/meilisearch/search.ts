import type { Index } from 'meilisearch';

import type { EngineAnswer, EngineQuery, Hit } from '../engine.ts';
import { filtersOf, type FilterLists } from './filter.ts';
import type { MeilisearchServer } from './server.ts';

interface Found {
  event_id: string;
  position: number;
  text: string;
}

/**
 * One search; of a user in very many rooms several, of which the best hits are taken. Ranks are comparable, as
 * they follow from the words and the document alone.
 */
export async function searchIndex(
  server: MeilisearchServer,
  index: Index,
  query: EngineQuery,
): Promise<EngineAnswer> {
  const filters = filtersOf(query);
  const [first] = filters;
  if (first === undefined) return { total: 0, hits: [] };
  if (filters.length === 1) return searchOnce(server, index, query, first);
  const parts = { ...query, offset: 0, limit: query.offset + query.limit };
  const answers: EngineAnswer[] = [];
  for (const filter of filters) answers.push(await searchOnce(server, index, parts, filter));
  return {
    total: answers.reduce((sum, answer) => sum + answer.total, 0),
    hits: answers
      .flatMap((answer) => answer.hits)
      .sort((a, b) => b.rank - a.rank || b.position - a.position)
      .slice(query.offset, query.offset + query.limit),
  };
}

async function searchOnce(
  server: MeilisearchServer,
  index: Index,
  { words, order, offset, limit }: EngineQuery,
  filter: FilterLists,
): Promise<EngineAnswer> {
  const answer = await server.ask(() =>
    index.search<Found>(words.join(' '), {
      filter,
      offset,
      limit,
      matchingStrategy: 'all',
      attributesToRetrieve: ['event_id', 'position', 'text'],
      showMatchesPosition: true,
      showRankingScore: true,
      ...(order === 'recent' ? { sort: ['position:desc'] } : {}),
    }),
  );
  return {
    total: answer.estimatedTotalHits,
    hits: answer.hits.map((hit): Hit => ({
      eventId: hit.event_id,
      position: hit.position,
      rank: order === 'recent' ? 0 : (hit._rankingScore ?? 0),
      highlights: wordsAt(hit.text, hit._matchesPosition?.text ?? []),
    })),
  };
}

/** Places are counted in bytes of UTF-8. */
function wordsAt(text: string, places: readonly { start: number; length: number }[]): string[] {
  if (places.length === 0) return [];
  const bytes = Buffer.from(text);
  const words = places.map(({ start, length }) => bytes.subarray(start, start + length).toString('utf8'));
  return [...new Set(words)];
}
