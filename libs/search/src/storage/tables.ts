import type { GeneratedAlways } from 'kysely';

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
    created_ts: number;
  };
  /** Every edit that was seen, also when it does not count or was redacted since. */
  search_edits: { edit_id: string; target_id: string; room_id: string };
  /** What changed while an index was being built and has to be looked at again before it goes live. */
  search_redo: { generation: number; kind: 'event' | 'room'; id: string };
}

/** `first` is an index that is being made without having to be filled. */
export type IndexState = 'first' | 'building' | 'live' | 'retired';
