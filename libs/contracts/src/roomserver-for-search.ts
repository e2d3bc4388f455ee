import type { Pdu } from '@seneschal/matrix';

import type { StoredEvent } from './roomserver-reads.ts';

/** An event as the search index is made from it. */
export interface IndexableEvent {
  eventId: string;
  roomId: string;
  position: number;
  type: string;
  isRedacted: boolean;
  /** Undefined when the stored text cannot be read. */
  pdu: Pdu | undefined;
}

/** Positions of a room whose events a user may see: `from` is the first of them, `to` the first that is not. */
export interface VisibleRange {
  roomId: string;
  from: number;
  to: number;
}

/** What happened around an event, as far as the reader may see it. */
export interface EventContext {
  /** Newest first. */
  before: StoredEvent[];
  /** Oldest first. */
  after: StoredEvent[];
  /** The membership events of the senders, that of the event itself included; only when asked for. */
  members: StoredEvent[];
  /** Positions: the place before the first of these events, and after the last. */
  start: number;
  end: number;
}

export interface RoomserverForSearch {
  /** The last committed stream position. */
  position(): Promise<number>;
  /** A page, in order, of the events of some types after one position and up to another. */
  eventsOfTypes(page: {
    types: readonly string[];
    after: number;
    upTo: number;
    limit: number;
    roomId?: string;
  }): Promise<IndexableEvent[]>;
  eventsById(eventIds: readonly string[]): Promise<IndexableEvent[]>;
  /** How many events of some types there are up to a position, in one room or in all. */
  countOfTypes(types: readonly string[], upTo: number, roomId?: string): Promise<number>;
  /** The rooms that the user is joined to, with what may be seen of each: room history visibility as it is now. */
  visibleRanges(userId: string): Promise<VisibleRange[]>;
  /** Those of the events that the user, as a member of their rooms, may see; redacted ones are left out. */
  visibleEvents(userId: string, deviceId: string, eventIds: readonly string[]): Promise<StoredEvent[]>;
  /** The surroundings of events that the user may see, in the order of the places. */
  eventContexts(
    userId: string,
    deviceId: string,
    places: readonly { roomId: string; position: number; sender: string }[],
    limits: { before: number; after: number; members: boolean },
  ): Promise<EventContext[]>;
  /** Current state. M_FORBIDDEN for strangers. */
  state(roomId: string, userId: string): Promise<StoredEvent[]>;
}
