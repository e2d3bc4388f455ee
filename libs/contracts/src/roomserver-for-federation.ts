import type { JsonObject } from '@seneschal/matrix';

import type { RoomserverForClient } from './roomserver-reads.ts';
import type { SpaceRoom } from './space-rooms.ts';

/** A room as federation sees it. */
export interface FederatedRoom {
  roomVersion: string;
  /** Whether a local user is joined: then this server answers for the room. */
  isResident: boolean;
  /** Being deleted or restored: nothing comes in meanwhile. */
  isClosed: boolean;
  /** Local users may not enter it. */
  isBlocked: boolean;
  /** Whether it lives on other servers alone: none of our users is in it, and some of theirs are, or all we know is an invite. */
  isElsewhere: boolean;
  /** The content of `m.room.server_acl`, when there is any. */
  serverAcl: JsonObject | undefined;
}

/** An event to be sent to other servers. */
export interface OutgoingEvent {
  eventId: string;
  roomId: string;
  position: number;
  destinations: string[];
}

/** State before an event, and the auth chain of that state. */
export interface RoomStateAt {
  state: Map<string, JsonObject>;
  authChain: Map<string, JsonObject>;
}

/** Reads for the federation component and its gateway. Events are PDUs as they were signed, without `unsigned`. */
export interface RoomserverForFederation {
  /** Undefined when nothing is known of such a room. */
  federatedRoom(roomId: string): Promise<FederatedRoom | undefined>;
  /** Other servers with joined users. */
  joinedServers(roomId: string): Promise<string[]>;
  /** The membership event of a user, what it says, and what was told of the room with it from elsewhere; undefined when the user never was anything in the room. */
  membershipEvent(
    roomId: string,
    userId: string,
  ): Promise<{ membership: string; event: JsonObject; told: JsonObject[] } | undefined>;
  /** Other servers that share a room with each of these local users. */
  serversSharingRooms(userIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Other servers with joined users, by room; rooms without any are not in it. */
  serversIn(roomIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Of these rooms those that both this server and another one are in and that are not being deleted, with their server ACLs. */
  roomsSharedWith(
    serverName: string,
    roomIds: readonly string[],
  ): Promise<Map<string, JsonObject | undefined>>;
  /** Those of these users who are joined to the room named with them. */
  joinedOf<T extends { roomId: string; userId: string }>(members: readonly T[]): Promise<T[]>;
  /** Positions of events that are in the rooms named with them, by event ID. */
  eventPositions(events: readonly { roomId: string; eventId: string }[]): Promise<Map<string, number>>;
  /** Those of these users of other servers who share a room with a user of this one. */
  usersSharedWith(userIds: readonly string[]): Promise<Set<string>>;
  /** Of a room that no local user is in any more, a page of those who share no other room either, by user ID. */
  strangersIn(roomId: string, after: string, limit: number): Promise<string[]>;
  roomIdByAlias(alias: string): Promise<string | undefined>;
  /** What is to be sent of the events at these positions: those of local users, or all of them when relayed. */
  outgoingEvents(
    stored: readonly { roomId: string; first: number; last: number; origin: string | undefined }[],
  ): Promise<OutgoingEvent[]>;
  /** PDUs by event ID, whatever has become of them. */
  pdus(eventIds: readonly string[]): Promise<Map<string, JsonObject>>;
  /** The room of an event that clients may see; undefined for others. */
  roomOfEvent(eventId: string): Promise<string | undefined>;
  /** Undefined when the event is not in the room or the state before it is not known. */
  stateBefore(roomId: string, eventId: string): Promise<RoomStateAt | undefined>;
  authChain(roomId: string, eventIds: readonly string[]): Promise<Map<string, JsonObject>>;
  /** Those of the events, and of what comes before them, that are the newest. */
  eventsBefore(roomId: string, eventIds: readonly string[], limit: number): Promise<Map<string, JsonObject>>;
  /** Those of the events that a server may see in full, by history visibility. */
  visibleToServer(roomId: string, serverName: string, eventIds: readonly string[]): Promise<Set<string>>;
  /** Which of these events the server has, with their place in the history. */
  placedEvents(eventIds: readonly string[]): Promise<Set<string>>;
  /** Events closest to a time, at it or in one direction from it, the closest first. */
  eventsAtTime(
    roomId: string,
    place: { ts: number; direction: 'f' | 'b' },
  ): Promise<{ eventId: string; originServerTs: number }[]>;
  /**
   * A space, its children that are here, and those of them that the server may not know of; undefined when it may not know
   * of the space.
   */
  hierarchy(
    roomId: string,
    asked: { serverName: string; suggestedOnly: boolean },
  ): Promise<{ room: SpaceRoom; children: SpaceRoom[]; inaccessible: string[] } | undefined>;
  /** The directory, without the rooms that no other server may join. */
  publicRooms: RoomserverForClient['publicRooms'];
  /** The ends of the room's history that the next event follows. */
  forwardExtremities(roomId: string): Promise<string[]>;
}
