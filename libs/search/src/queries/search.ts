import type { Kysely } from 'kysely';

import type {
  RoomserverForSearch,
  SearchPage,
  SearchRequest,
  SearchResult,
  StoredEvent,
} from '@seneschal/contracts';

import { wordsOf } from '../documents/term.ts';
import type { Engines } from '../engines/open-engines.ts';
import { liveIndex, type StoredIndex } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';
import { askEngine, type Found } from './ask-engine.ts';
import { engineQuery } from './engine-query.ts';
import { groupsOf } from './groups.ts';
import { formatToken, type PageToken, parseToken } from './tokens.ts';

export interface SearchDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
  roomserver: RoomserverForSearch;
}

const defaultLimit = 10;
const largestLimit = 100;

const nothing = { count: 0, results: [], highlights: [], groups: [] };

/**
 * A page of search results. The engine is asked within what the user may see of the rooms that the user is
 * joined to at this moment; what it answers is looked at once more in the rooms themselves, so that what was
 * redacted or purged a moment ago, and is still in the index, is not shown.
 */
export async function search(deps: SearchDeps, request: SearchRequest): Promise<SearchPage> {
  const [index, ranges] = await Promise.all([
    liveIndex(deps.db),
    deps.roomserver.visibleRanges(request.userId),
  ]);
  const from = startOf(request, index);
  const query = engineQuery(request, wordsOf(request.term), ranges, from);
  if (query === undefined) return nothing;
  const limit = Math.min(Math.max(request.filter.limit ?? defaultLimit, 1), largestLimit);
  const found = await askEngine(deps, request, { index, query, from, limit });
  const results = await withContexts(deps, request, found.results);
  return {
    count: found.total,
    results,
    highlights: found.highlights,
    ...(request.includeState ? { state: await statesOf(deps, request.userId, results) } : {}),
    groups: groupsOf(request, found, from),
    ...(found.next === undefined ? {} : { nextBatch: formatToken(found.next) }),
  };
}

/** All pages are of what was in the index when the first one was asked for. */
function startOf({ nextBatch, order }: SearchRequest, index: StoredIndex | undefined): PageToken {
  if (nextBatch !== undefined) return parseToken(nextBatch, order);
  return { order, upTo: index?.position ?? 0, offset: 0 };
}

async function withContexts(
  { roomserver }: SearchDeps,
  { userId, deviceId, context: wanted }: SearchRequest,
  found: Found['results'],
): Promise<SearchResult[]> {
  if (wanted === undefined) return found;
  const places = found.map(({ event }) => ({
    roomId: event.roomId,
    position: event.position,
    sender: event.pdu.sender,
  }));
  const contexts = await roomserver.eventContexts(userId, deviceId, places, wanted);
  return found.map((result, index) => {
    const context = contexts[index];
    return context === undefined ? result : { ...result, context };
  });
}

async function statesOf(
  { roomserver }: SearchDeps,
  userId: string,
  results: readonly SearchResult[],
): Promise<Map<string, StoredEvent[]>> {
  const states = new Map<string, StoredEvent[]>();
  for (const roomId of new Set(results.map(({ event }) => event.roomId))) {
    states.set(roomId, await roomserver.state(roomId, userId));
  }
  return states;
}
