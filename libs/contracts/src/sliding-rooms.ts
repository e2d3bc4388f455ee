import type { Membership, StoredEvent } from './roomserver-reads.ts';

/** A room of a user as the lists of sliding sync are made of it. */
export interface ListedRoom {
  roomId: string;
  membership: Membership;
  /** Position of the membership event. */
  position: number;
  /** Position since which the user is that in the room, as it is there now: what came before is another story. */
  since: number;
  /** Position of the last event that the user knows of: the order of the list. */
  activity: number;
  /** Up to where the user may know the state of a room that the user is out of; 0 for who never was in it. */
  knownUpTo: number;
  /** Whether it stays in the list: all but rooms that the user left or was taken off the way into. */
  isKept: boolean;
  /** Set when the room was purged, in ms. */
  purgedTs?: number;
}

/** What filters of lists ask of a room. */
export interface RoomTraits {
  /** Of the create event; null for a plain room, undefined where that is not known. */
  type: string | null | undefined;
  isEncrypted: boolean;
}

/** State by type and key; null stands for any. Of any type are all but memberships, which have to be named. */
export interface StateSelector {
  type: string | null;
  stateKey: string | null;
}

/** State of a room that came to be in force within (since, until]; all of it when `since` is 0. */
export interface StateRequest {
  roomId: string;
  since: number;
  until: number;
  selectors: readonly StateSelector[];
}

/** What sliding sync reads of rooms beside what `/sync` does. */
export interface RoomserverForSliding {
  /**
   * The rooms that a user is in, is on the way into, or was put out of, as of `until`, and those that the user left or
   * that were purged after `since`. Without rooms that were forgotten, and without invites that the user is not to see.
   */
  listedRooms(userId: string, since: number | null, until: number): Promise<ListedRoom[]>;
  roomTraits(userId: string, roomIds: readonly string[]): Promise<Map<string, RoomTraits>>;
  /** The rooms that stand in spaces, by space; those that the user is not joined to are not in it. */
  roomsInSpaces(userId: string, spaceIds: readonly string[]): Promise<Map<string, Set<string>>>;
  /** State by room; that the user may know it is for the caller to see to. Several requests may name the same room. */
  requiredState(userId: string, requests: readonly StateRequest[]): Promise<Map<string, StoredEvent[]>>;
  /** Position of the last event of each room that counts as activity, not after `until`; see MSC4186, `bump_stamp`. */
  bumpStamps(userId: string, roomIds: readonly string[], until: number): Promise<Map<string, BumpStamp>>;
}

/** `isExact` is false when none of the last events counts: it is then the position of the first that was looked at. */
export interface BumpStamp {
  position: number;
  isExact: boolean;
}
