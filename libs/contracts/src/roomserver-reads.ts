import type { JsonObject, Pdu } from '@seneschal/matrix';

import type { SpacesForClient } from './spaces.ts';
import type {
  BundledRelations,
  NotifiableEvent,
  RelationsPage,
  RelationsRequest,
  UnreadRoom,
} from './relations.ts';

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban';

/** An event as it is stored: `position` orders all events of the server and, within it, of each room. */
export interface StoredEvent {
  eventId: string;
  roomId: string;
  position: number;
  pdu: Pdu;
  /** The redaction that took the content away, when there is one. */
  redactedBecause?: { eventId: string; pdu: Pdu };
  /** The content of the state event that this one replaced. */
  previousContent?: JsonObject;
  previousEventId?: string;
  /** Set for the device that sent the event. */
  transactionId?: string;
  /** What other events relate to this one. */
  bundled?: BundledRelations;
}

export interface MemberState {
  roomId: string;
  userId: string;
  membership: Membership;
  /** Position of the membership event. */
  position: number;
  /** What the user was in the room at `since`; undefined when nothing, or when no `since` was given. */
  membershipBefore: Membership | undefined;
  /** Set when the room was purged, in ms: nothing but the end of the membership is known of it. */
  purgedTs?: number;
}

/** A page of a room's events, already filtered to what the user may see. Tokens are positions. */
export interface EventPage {
  /** Where the page starts: `from`, or what it stands for when absent. */
  start: number;
  events: StoredEvent[];
  /** With lazy loading: the membership events of the senders. */
  members: StoredEvent[];
  /** Where the next page starts; undefined when there is nothing further. */
  end?: number;
}

export interface PublicRoom {
  roomId: string;
  name?: string;
  topic?: string;
  canonicalAlias?: string;
  avatarUrl?: string;
  joinedMembers: number;
  worldReadable: boolean;
  guestCanJoin: boolean;
  joinRule: string;
  roomType?: string;
}

/** Users that were looked for by name. */
export interface FoundUsers {
  users: { userId: string; displayname: string | null; avatarUrl: string | null }[];
  /** Whether there may be more. */
  isLimited: boolean;
}

/**
 * Reads for the client gateway. Each takes the user and answers only what that user may see; M_FORBIDDEN
 * when the user may not look at the room at all (also when there is no such room).
 */
export interface RoomserverForClient extends SpacesForClient {
  joinedRooms(userId: string): Promise<string[]>;
  /** Undefined when the user never was anything in the room. */
  membership(roomId: string, userId: string): Promise<Membership | undefined>;
  roomIdByAlias(alias: string): Promise<string | undefined>;
  aliases(roomId: string): Promise<string[]>;
  /** M_NOT_FOUND when unknown. */
  isListed(roomId: string): Promise<boolean>;
  /** Users by what they are called, as far as the user may know of them. */
  searchUsers(userId: string, asked: { term: string; limit: number }): Promise<FoundUsers>;
  publicRooms(page: {
    limit: number;
    since?: string;
    search?: string;
    /** Only rooms of these types; null stands for rooms without one. */
    roomTypes?: (string | null)[];
  }): Promise<{ rooms: PublicRoom[]; nextBatch?: string; prevBatch?: string; total: number }>;
  /** Current state for members, state as of leaving for those who left. */
  state(roomId: string, userId: string): Promise<StoredEvent[]>;
  stateEvent(
    roomId: string,
    userId: string,
    type: string,
    stateKey: string,
  ): Promise<StoredEvent | undefined>;
  members(
    roomId: string,
    userId: string,
    filter: { membership?: string; notMembership?: string; at?: number },
  ): Promise<StoredEvent[]>;
  joinedMembers(
    roomId: string,
    userId: string,
  ): Promise<Map<string, { displayname?: string; avatarUrl?: string }>>;
  event(roomId: string, userId: string, eventId: string, deviceId: string): Promise<StoredEvent | undefined>;
  /** An event with what the user may see around it, at most `limit` events; undefined where `event` is. */
  eventContext(
    roomId: string,
    userId: string,
    eventId: string,
    options: { limit: number; deviceId: string; filter?: EventFilter; lazyLoadMembers?: boolean },
  ): Promise<RoomEventContext | undefined>;
  /** Events that are related to one; M_NOT_FOUND when the user may not see that one. */
  relations(roomId: string, userId: string, request: RelationsRequest): Promise<RelationsPage>;
  /** The first events of threads, the ones with the newest answers first; `from` and `end` are positions. */
  threads(
    roomId: string,
    userId: string,
    request: { include: 'all' | 'participated'; from?: number; limit: number; deviceId: string },
  ): Promise<{ events: StoredEvent[]; end?: number }>;
  /** The event closest to a time in one direction that the user may see. */
  eventAtTime(
    roomId: string,
    userId: string,
    place: { ts: number; direction: 'b' | 'f' },
  ): Promise<{ eventId: string; originServerTs: number } | undefined>;
  /** `from` absent: the newest event ('b') or the oldest ('f'). */
  messages(
    roomId: string,
    userId: string,
    page: {
      direction: 'b' | 'f';
      from?: number;
      to?: number;
      limit: number;
      deviceId: string;
      filter?: EventFilter;
      lazyLoadMembers?: boolean;
    },
  ): Promise<EventPage>;
}

/** Client-server API, `GET /rooms/{roomId}/context/{eventId}`. Tokens are positions. */
export interface RoomEventContext {
  event: StoredEvent;
  /** Newest first. */
  before: StoredEvent[];
  after: StoredEvent[];
  /** As of the last event; with lazy loading the memberships of the senders alone. */
  state: StoredEvent[];
  start: number;
  end: number;
}

/** The parts of a Matrix event filter that are applied in the database. */
export interface EventFilter {
  types?: string[];
  notTypes?: string[];
  senders?: string[];
  notSenders?: string[];
  containsUrl?: boolean;
}

/** What one room of a sync answer is made of. */
export interface RoomSyncRequest {
  roomId: string;
  /** Events after this position are new; null when the client knows nothing of the room. */
  since: number | null;
  /** The last position to tell: the sync's own, or that of the leave event for rooms that were left. */
  until: number;
  timelineLimit: number;
  timelineFilter?: EventFilter;
  /** With lazy loading only the members of the timeline's senders (and the user) are in the state. */
  lazyLoadMembers: boolean;
  /** Whether all state is wanted, although `since` is set. */
  fullState: boolean;
  /** Whether the state is wanted as of the end of the timeline, and not as of its start. */
  stateAfter?: boolean | undefined;
  /** For those who ask for the state in another way. */
  withoutState?: true;
}

export interface RoomSync {
  roomId: string;
  timeline: StoredEvent[];
  limited: boolean;
  /** Position just before the first event of the timeline. */
  previousBatch: number;
  /** State between `since` and the start of the timeline or, with `stateAfter`, its end. */
  state: StoredEvent[];
  /** Set for joined rooms when memberships may have changed. */
  summary?: RoomSummary;
}

/** Client-server API, `RoomSummary` of a sync. */
export interface RoomSummary {
  joinedMembers: number;
  invitedMembers: number;
  /** Up to five other members, when the room has neither a name nor a canonical alias. */
  heroes: string[] | undefined;
}

/** What the user API reads of rooms. */
export interface RoomserverForUserapi {
  /** The rooms that some of these replace, by the ID of the new one. */
  predecessors(roomIds: readonly string[]): Promise<Map<string, string>>;
}

export interface RoomserverForSync {
  /** The last committed stream position. */
  position(): Promise<number>;
  /**
   * The rooms of a user that have anything after `since` (all rooms when null), with membership as of
   * `until` and the position of the membership event. Rooms that were forgotten are left out; rooms that were
   * purged are told as left, once to each token.
   */
  changedRooms(userId: string, since: number | null, until: number): Promise<MemberState[]>;
  /** Whether `markDeparturesSeen` has anything to do for a device that came back with a token of `since`. */
  hasUnmarkedDepartures(userId: string, deviceId: string, since: number): Promise<boolean>;
  /** Room IDs that the user is joined to. */
  joinedRooms(userId: string): Promise<string[]>;
  syncRooms(userId: string, deviceId: string, rooms: RoomSyncRequest[]): Promise<RoomSync[]>;
  /**
   * Of rooms that the user is joined to, the newest events by others after a position outside of threads, and after
   * one in threads; up to `until`. Rooms without any are not in it.
   */
  unreadEvents(
    userId: string,
    rooms: readonly { roomId: string; main: number; threads: number }[],
    until: number,
  ): Promise<UnreadRoom[]>;
  /** Stripped state of a room for one who is invited or knocks. */
  strippedState(userId: string, roomIds: string[]): Promise<Map<string, JsonObject[]>>;
  /** Whether users of other servers are joined to a room. */
  isShared(roomId: string): Promise<boolean>;
  /** The newest events by others before a position, in the rooms that the user is joined to. */
  notifiableEvents(
    userId: string,
    page: { deviceId: string; before: number; limit: number },
  ): Promise<NotifiableEvent[]>;
  /** Users who share a room with the user. */
  usersSharingRooms(userId: string, candidates: readonly string[]): Promise<string[]>;
  /**
   * Within (since, until]: `met` came to share an encrypted room with the user, `parted` share none any more.
   * What device lists have to follow.
   */
  encryptedRoomChanges(
    userId: string,
    since: number,
    until: number,
  ): Promise<{ met: string[]; parted: string[] }>;
}
