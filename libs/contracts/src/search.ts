import { z } from 'zod';

import { command } from './command.ts';
import type { EventContext, StoredEvent } from './roomserver-reads.ts';

/**
 * Removes every document of a room from all indexes, and answers how many there were. Nothing of the room is
 * left when it has answered; asking again is harmless.
 */
export const purgeRoom = command('search', 'purgeRoom', {
  input: z.object({ roomId: z.string() }),
  output: z.object({ removed: z.number() }),
  timeoutMs: 120_000,
});

/** What can be searched, as the client-server API names it. */
export const searchKeys = ['content.body', 'content.name', 'content.topic'] as const;
export type SearchKey = (typeof searchKeys)[number];
export type SearchOrder = 'rank' | 'recent';
export type SearchGroupKey = 'room_id' | 'sender';

export interface SearchRequest {
  userId: string;
  deviceId: string;
  term: string;
  /** All of them when absent. */
  keys?: readonly SearchKey[];
  order: SearchOrder;
  filter: {
    limit?: number;
    rooms?: readonly string[];
    notRooms?: readonly string[];
    /** `*` stands for any characters. */
    types?: readonly string[];
    notTypes?: readonly string[];
    senders?: readonly string[];
    notSenders?: readonly string[];
    containsUrl?: boolean;
  };
  /** Wanted when set. */
  context?: { before: number; after: number; members: boolean };
  includeState: boolean;
  groupBy: readonly SearchGroupKey[];
  /** A token of an earlier page, or of a group on it. */
  nextBatch?: string;
}

export interface SearchResult {
  event: StoredEvent;
  rank: number;
  context?: EventContext;
}

/** A part of a page: the results that have a room or a sender in common. */
export interface SearchGroup {
  key: SearchGroupKey;
  /** The room or the sender. */
  value: string;
  /** Place of the group among those of its key, from 0. */
  order: number;
  eventIds: string[];
  nextBatch?: string;
}

export interface SearchPage {
  /** How many results there are about, on all pages. */
  count: number;
  results: SearchResult[];
  /** Words of the results that the term stands for. */
  highlights: string[];
  /** Current state by room. */
  state?: Map<string, StoredEvent[]>;
  groups: SearchGroup[];
  nextBatch?: string;
}

export interface SearchForClient {
  /**
   * A page of the events that the user may see and in which all words of the term occur. M_UNKNOWN (400) while
   * search is off, M_INVALID_PARAM for a token that is none.
   */
  search(request: SearchRequest): Promise<SearchPage>;
}
