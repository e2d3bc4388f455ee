import type {
  ListedRoom,
  RoomserverForSliding,
  RoomserverForSync,
  SlidingSyncBody,
} from '@seneschal/contracts';

import type { ToldRoom } from '../storage/connections.ts';
import type { SyncReads } from '../sync/sync-query.ts';
import type { SyncPosition } from '../tokens.ts';
import type { StateConfig } from './selectors.ts';

/** The reads that an answer of sliding sync is made of. */
export interface SlidingReads extends Omit<SyncReads, 'roomserver'> {
  roomserver: RoomserverForSync & RoomserverForSliding;
  /** Whose membership events were told because of what they sent, by room. */
  toldMembers(roomIds: readonly string[]): Promise<Map<string, string[]>>;
}

/** What the client knows when it asks. */
export interface Known {
  rooms: ReadonlyMap<string, ToldRoom>;
  /** By their place; see `ToldRoom.config`. */
  configs: readonly StateConfig[];
}

/** One look, over the positions (since, until] of both logs. */
export interface SlidingQuery {
  userId: string;
  deviceId: string;
  body: SlidingSyncBody;
  known: Known;
  /** Null for the first request of a connection. */
  since: SyncPosition | null;
  until: SyncPosition;
}

/** What is asked for of a room by all lists and subscriptions together. */
export interface Wanted {
  room: ListedRoom;
  timelineLimit: number;
  state: StateConfig;
  lists: string[];
}

/** A room that the answer tells of. */
export interface Telling extends Wanted {
  told: ToldRoom | undefined;
  /** Whether the client is to forget what it knew of the room. */
  isInitial: boolean;
  /** Whether the last events are told although the client has seen some of them. */
  isExpanded: boolean;
  /** State that is asked for only now. */
  added: string[];
  isDm: boolean;
  /** Whether the user has read further. */
  isTouched: boolean;
}
