import type { SearchRequest, StoredEvent } from '@seneschal/contracts';

import { type EngineAnswer, type EngineQuery, type Hit, IndexMissing } from '../engines/engine.ts';
import { liveIndex, type StoredIndex } from '../storage/indexes.ts';
import type { SearchDeps } from './search.ts';
import type { PageToken } from './tokens.ts';

export interface Found {
  total: number;
  results: { event: StoredEvent; rank: number }[];
  highlights: string[];
  /** Where the next page starts; undefined when there is nothing further. */
  next: PageToken | undefined;
}

type Query = Omit<EngineQuery, 'offset' | 'limit' | 'upTo'>;

export interface Question {
  /** The live index, as it was a moment ago. */
  index: StoredIndex | undefined;
  query: Query;
  from: PageToken;
  limit: number;
}

/** A page with hits that cannot be shown any more is filled up with at most this many further questions. */
const maximumRounds = 5;

/** By rank, hits beyond this are not given: an engine would have to put all those before in order first. */
export const deepestRank = 10_000;

/** Asks the index until the page is full. */
export async function askEngine(
  deps: SearchDeps,
  request: Pick<SearchRequest, 'userId' | 'deviceId'>,
  { index, query, from, limit }: Question,
): Promise<Found> {
  const found: Found = { total: 0, results: [], highlights: [], next: from };
  const highlights = new Set<string>();
  for (let round = 0; round < maximumRounds && found.next !== undefined; round += 1) {
    const wanted = limit - found.results.length;
    if (wanted === 0) break;
    const { upTo, offset } = found.next;
    const answer = await searchLive(deps, index, { ...query, upTo, offset, limit: wanted + 1 });
    if (round === 0) found.total = answer.total;
    const hits = answer.hits.slice(0, wanted);
    for (const { hit, event } of await readable(deps, request, hits)) {
      found.results.push({ event, rank: hit.rank });
      for (const word of hit.highlights) highlights.add(word);
    }
    found.next = answer.hits.length > wanted ? after(found.next, hits) : undefined;
  }
  found.highlights = [...highlights];
  return found;
}

/** A reindex may put another index in its place while it is asked. */
async function searchLive(
  deps: SearchDeps,
  known: StoredIndex | undefined,
  query: EngineQuery,
): Promise<EngineAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const index = attempt === 1 ? known : await liveIndex(deps.db);
    const engine = index && deps.engines.of(index.engine);
    if (index === undefined || engine === undefined) return { total: 0, hits: [] };
    try {
      return await engine.search(index, query);
    } catch (error) {
      if (!(error instanceof IndexMissing) || attempt >= 3) throw error;
    }
  }
}

async function readable(
  { roomserver }: SearchDeps,
  { userId, deviceId }: Pick<SearchRequest, 'userId' | 'deviceId'>,
  hits: readonly Hit[],
): Promise<{ hit: Hit; event: StoredEvent }[]> {
  const ids = hits.map((hit) => hit.eventId);
  const events = await roomserver.visibleEvents(userId, deviceId, ids);
  const byId = new Map(events.map((event) => [event.eventId, event]));
  return hits.flatMap((hit) => {
    const event = byId.get(hit.eventId);
    return event === undefined ? [] : [{ hit, event }];
  });
}

/** By time the place is the last hit's own, so that no depth costs more; by rank it is counted. */
function after(from: PageToken, hits: readonly Hit[]): PageToken | undefined {
  if (from.order === 'recent') return { ...from, upTo: Math.max(0, (hits.at(-1)?.position ?? 1) - 1) };
  const offset = from.offset + hits.length;
  return offset >= deepestRank ? undefined : { ...from, offset };
}
