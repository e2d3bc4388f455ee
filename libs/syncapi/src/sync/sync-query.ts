import type { RoomserverForSync, UserapiForSync } from '@seneschal/contracts';

import type { SyncFilter } from '../filters.ts';
import type { SyncPosition } from '../tokens.ts';
import type { TypingReads } from './ephemeral.ts';
import type { UnreadCounts } from './unread.ts';

/** The reads that a sync is made of. */
export interface SyncReads {
  roomserver: RoomserverForSync;
  userapi: UserapiForSync;
  typing: TypingReads;
  unread: Pick<UnreadCounts, 'of'>;
}

/** One sync, over the positions (since, until] of both logs. */
export interface SyncQuery {
  userId: string;
  deviceId: string;
  filter: SyncFilter;
  fullState: boolean;
  /** Whether state is told as of the end of timelines. */
  stateAfter?: boolean | undefined;
  /** Null for a first sync. */
  since: SyncPosition | null;
  until: SyncPosition;
}

/** Account data as `accountDataBetween` answers it. */
export type AccountData = Awaited<ReturnType<UserapiForSync['accountDataBetween']>>;
