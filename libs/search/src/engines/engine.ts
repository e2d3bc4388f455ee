import type { Kysely } from 'kysely';

import type { SearchOrder, VisibleRange } from '@seneschal/contracts';

import type { SearchableType, SearchDocument } from '../documents/document.ts';

export type EngineName = 'postgresql' | 'meilisearch';

/** One index. Each rebuild makes another one, beside the one that is searched. */
export interface IndexRef {
  /** Grows with each index of this database. */
  generation: number;
  /** No two indexes ever have the same, also when several servers share an engine. */
  name: string;
  /** See the setting `search_language`. */
  language: string;
}

/** What changes in an index: documents to put in, replacing those of the same event, and events to take out. */
export interface IndexChanges {
  put: SearchDocument[];
  remove: string[];
}

export interface EngineQuery {
  /** All of them must occur. At least one. */
  words: readonly string[];
  order: SearchOrder;
  /** What the user may see; everything else is left out. */
  scope: readonly VisibleRange[];
  types: readonly SearchableType[];
  senders?: readonly string[];
  notSenders?: readonly string[];
  hasUrl?: boolean;
  /** The last position that is looked at. */
  upTo: number;
  offset: number;
  limit: number;
}

export interface Hit {
  eventId: string;
  position: number;
  rank: number;
  /** Words of the text that match, as they stand in it. */
  highlights: string[];
}

export interface EngineAnswer {
  /** About how many there are in all. */
  total: number;
  hits: Hit[];
}

/** What the index holds of an event, for comparing. */
export interface IndexedDocument {
  eventId: string;
  position: number;
  text: string;
}

/**
 * An index of documents. Methods that change something answer when it can be found, and may be called again after
 * any failure. Where they take a database, an engine that lives in one works within its transaction. `write` and
 * `load` answer the events whose documents the engine refuses for what they are; the others are in.
 */
export interface SearchEngine {
  readonly name: EngineName;
  /** Documents in one `load` that the engine is best at. */
  readonly loadSize: number;
  /** For people: name and version. Throws when the engine cannot be reached or used. */
  describe(): Promise<string>;
  create(index: IndexRef): Promise<void>;
  write(db: Kysely<unknown>, index: IndexRef, changes: IndexChanges): Promise<string[]>;
  /** Puts many documents into an index that is being built; `complete` makes it fast to search. */
  load(db: Kysely<unknown>, index: IndexRef, documents: readonly SearchDocument[]): Promise<string[]>;
  complete(index: IndexRef): Promise<void>;
  /** Answers how many documents there were. */
  removeRoom(db: Kysely<unknown>, index: IndexRef, roomId: string): Promise<number>;
  /** How many documents there are, or how many some rooms have together. */
  count(index: IndexRef, roomIds?: readonly string[]): Promise<number>;
  /** Documents of positions after `after` up to `upTo`, in order, `limit` (at most 10,000) of them. */
  documentsBetween(
    index: IndexRef,
    range: { after: number; upTo: number; roomId?: string },
    limit: number,
  ): Promise<IndexedDocument[]>;
  search(index: IndexRef, query: EngineQuery): Promise<EngineAnswer>;
  drop(index: IndexRef): Promise<void>;
}

/** The index is not there (any more): whoever searches looks up anew which one is live. */
export class IndexMissing extends Error {
  override readonly name = 'IndexMissing';
}

/** The engine cannot do its work now. The message is for the operator and holds no secrets. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/** The engine does not take us, and will not by itself. The message is for the operator and holds no secrets. */
export class EngineRefused extends Error {
  override readonly name = 'EngineRefused';
}
