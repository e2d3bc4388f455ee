import type { RoomserverForFederation } from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import type { Logger } from '@seneschal/observability';

import { roomIdByAlias } from './queries/aliases.ts';
import { eventsAtTime } from './queries/event-at-time.ts';
import { eventPositions, joinedOf, roomsSharedWith, serversIn } from './queries/federation/ephemeral.ts';
import {
  federatedRoom,
  forwardExtremities,
  joinedServers,
  membershipEvent,
} from './queries/federation/federated-room.ts';
import { hierarchy } from './queries/federation/hierarchy.ts';
import { outgoingEvents } from './queries/federation/outgoing-events.ts';
import { authChain, eventsBefore, pdus, placedEvents, roomOfEvent } from './queries/federation/pdus.ts';
import { serversSharingRooms, strangersIn, usersSharedWith } from './queries/federation/shared-rooms.ts';
import { stateBefore } from './queries/federation/state-before.ts';
import { visibleToServer } from './queries/federation/visible-to-server.ts';
import { publicRooms } from './queries/public-rooms.ts';
import type { RoomserverTables } from './storage/tables.ts';

/** What federation may read of the room server, run in the process of the caller. */
export function roomserverForFederation(
  database: Database,
  logger: Pick<Logger, 'warn'>,
  serverName: string,
): RoomserverForFederation {
  const deps = { db: database.tables<RoomserverTables>(), logger };
  return {
    federatedRoom: (roomId) => federatedRoom(deps, roomId),
    joinedServers: (roomId) => joinedServers(deps, roomId),
    membershipEvent: (roomId, userId) => membershipEvent(deps, roomId, userId),
    serversSharingRooms: (userIds) => serversSharingRooms(deps, userIds),
    serversIn: (roomIds) => serversIn(deps, roomIds),
    roomsSharedWith: (other, roomIds) => roomsSharedWith(deps, other, roomIds),
    joinedOf: (members) => joinedOf(deps, members),
    eventPositions: (events) => eventPositions(deps, events),
    usersSharedWith: (userIds) => usersSharedWith(deps, userIds),
    strangersIn: (roomId, after, limit) => strangersIn(deps, roomId, after, limit),
    roomIdByAlias: (alias) => roomIdByAlias(deps, alias),
    outgoingEvents: (stored) => outgoingEvents(deps, serverName, stored),
    pdus: (eventIds) => pdus(deps, eventIds),
    roomOfEvent: (eventId) => roomOfEvent(deps, eventId),
    stateBefore: (roomId, eventId) => stateBefore(deps, roomId, eventId),
    authChain: (roomId, eventIds) => authChain(deps, roomId, eventIds),
    eventsBefore: (roomId, eventIds, limit) => eventsBefore(deps, roomId, eventIds, limit),
    visibleToServer: (...asked) => visibleToServer(deps, ...asked),
    eventsAtTime: (roomId, place) => eventsAtTime(deps, roomId, place),
    hierarchy: (roomId, asked) => hierarchy(deps, roomId, asked),
    publicRooms: (page) => publicRooms(deps, page, true),
    placedEvents: (eventIds) => placedEvents(deps, eventIds),
    forwardExtremities: (roomId) => forwardExtremities(deps, roomId),
  };
}
