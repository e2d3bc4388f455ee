import { z } from 'zod';

import { command } from './command.ts';
import { jobKind } from './jobs.ts';
import { purgeRoomCommand, type RoomDataReads } from './room-rows.ts';
import type { EventContext } from './roomserver-for-search.ts';
import type { StoredEvent } from './roomserver-reads.ts';

/**
 * Removes every document of a room from all indexes, and answers how many there were. Nothing of the room is
 * left when it has answered; asking again is harmless.
 */
export const purgeRoom = command('search', 'purgeRoom', {
  input: z.object({ roomId: z.string() }),
  output: z.object({ removed: z.number() }),
  timeoutMs: 120_000,
});

/**
 * Builds a fresh index beside the one that is searched, and puts it in its place when it is complete; what changes
 * meanwhile reaches both. `indexed` in the result is the number of events that can be found.
 */
export const reindex = jobKind({
  component: 'search',
  name: 'reindex_search',
  input: z.object({}),
  target: () => 'all rooms',
  phases: ['prepare', 'read', 'complete', 'swap', 'clean'],
  weight: 'heavy',
});

/** Brings the documents of one room up to date in the index that is searched, and removes those without an event. */
export const reindexRoom = jobKind({
  component: 'search',
  name: 'reindex_room',
  input: z.object({ roomId: z.string() }),
  target: ({ roomId }) => roomId,
  phases: ['read', 'remove', 'report'],
  weight: 'light',
});
/** The same as a part of the deletion of a room: documents, and what is remembered of edits. */
export const purgeRoomDocuments = purgeRoomCommand('search');

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

/** What is wrong with an index, by counts and with some of the events. */
export interface IndexFault {
  count: number;
  /** At most ten. */
  examples: string[];
}

export interface SearchStatus {
  isOn: boolean;
  /** Name and version of the engine of new indexes; undefined while it cannot be reached. */
  engine?: string;
  /** Why the engine cannot be used. */
  problem?: string;
  /** The index that is searched; undefined before there is anything to find. */
  index?: {
    generation: number;
    engine: string;
    language: string;
    documents?: number;
    /** Up to which stream position the index has followed, and where the rooms are. */
    position: number;
    latest: number;
  };
  /** Generation of the index that is being built. */
  building?: number;
  comparison?: {
    /** Events that are to be found according to the rooms. */
    expected: number;
    missing: IndexFault;
    stale: IndexFault;
    orphaned: IndexFault;
    /** Whether everything was compared in the time there was. */
    isComplete: boolean;
  };
}

export interface SearchForAdmin extends RoomDataReads {
  /** Throws M_UNKNOWN (400) while search is off. */
  requireOn(): void;
  /** What indexing anew would read, and the documents that it would replace: of all rooms, or of one. */
  reindexable(roomId?: string): Promise<{ events: number; documents: number }>;
  /** How the index is; with `compare` every event is compared with its document. */
  status(asked: { compare: boolean; roomId?: string }): Promise<SearchStatus>;
}
