import type { PowerLevels, PushEvent } from '@seneschal/matrix';

import type { StoredEvent } from './roomserver-reads.ts';

/** Client-server API, "Aggregations of child events". */
export interface BundledRelations {
  /** The newest edit. */
  replacement?: StoredEvent;
  thread?: { latest: StoredEvent; count: number; hasTakenPart: boolean };
  /** IDs of events that refer to this one. */
  references?: string[];
}

/** Client-server API, "Relationships API". Tokens are positions. */
export interface RelationsRequest {
  eventId: string;
  relType?: string;
  eventType?: string;
  direction: 'b' | 'f';
  from?: number | undefined;
  to?: number;
  limit: number;
  /** Whether relations of relations are answered too. */
  recurse: boolean;
  deviceId: string;
}

export interface RelationsPage {
  events: StoredEvent[];
  /** Where the next page starts; undefined when there is nothing further. */
  end?: number;
  /** How far relations were followed. */
  levels: number;
}

/** An event by another user, and what the push rules look at besides. */
export interface NotifiableEvent {
  event: StoredEvent;
  /** The first event of the thread; undefined outside of threads. */
  threadId: string | undefined;
  joinedMembers: number;
  powerLevels: PowerLevels | undefined;
  senderLevel: number;
}

/** Events of a room that a user has not read, and what the push rules look at besides. */
export interface UnreadRoom {
  roomId: string;
  joinedMembers: number;
  powerLevels: PowerLevels | undefined;
  events: {
    position: number;
    /** The first event of the thread; undefined outside of threads. */
    threadId: string | undefined;
    senderLevel: number;
    event: PushEvent;
  }[];
}
