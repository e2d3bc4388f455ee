import type { Generated, GeneratedAlways } from 'kysely';

import type { EngineName } from '../engines/engine.ts';

export interface SearchTables {
  search_indexes: {
    generation: GeneratedAlways<number>;
    /** Random, so that two databases on one engine never mean the same index. */
    name: string;
    engine: EngineName;
    /** The language that its words were taken by. */
    language: string;
    state: IndexState;
    /** Of the index that is searched: up to which position it has followed the rooms. */
    position: Generated<number>;
    created_ts: number;
  };
  /** Every edit that was seen, also when it does not count or was redacted since. */
  search_edits: { edit_id: string; target_id: string; room_id: string };
  /** What changed while an index was being built and has to be looked at again before it goes live. */
  search_redo: { generation: number; kind: 'event' | 'room'; id: string };
}

/**
 * `first` and `making` are being made, the first of all and one to put in another's place; `building` is being
 * filled while changes are noted for it; `retired` may be dropped.
 */
export type IndexState = 'first' | 'making' | 'building' | 'live' | 'retired';
