import type {
  RoomserverForAdmin,
  RoomserverForClient,
  RoomserverForSearch,
  RoomserverForSliding,
  RoomserverForSync,
  RoomserverForUserapi,
  UserapiForRoomserver,
} from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import type { Logger } from '@seneschal/observability';

import { aliases, roomIdByAlias } from './queries/aliases.ts';
import { changedRooms } from './queries/changed-rooms.ts';
import { deletions } from './queries/deletions.ts';
import { emptyRooms } from './queries/empty-rooms.ts';
import { encryptedRoomChanges } from './queries/encrypted-room-changes.ts';
import { eventAtTime } from './queries/event-at-time.ts';
import { eventContext } from './queries/event-context.ts';
import { eventContexts } from './queries/event-contexts.ts';
import { event } from './queries/event.ts';
import { findRooms } from './queries/find-rooms.ts';
import { countOfTypes, eventsById, eventsOfTypes } from './queries/indexable-events.ts';
import type { ReaderDeps } from './queries/ignoring.ts';
import { isPurgeable } from './queries/is-purgeable.ts';
import { isListed } from './queries/is-listed.ts';
import { notifiableEvents } from './queries/notifiable-events.ts';
import { occupants, occupiedRooms } from './queries/occupants.ts';
import { isShared } from './queries/is-shared.ts';
import { roomPreview, spaceHierarchy } from './queries/hierarchy/space-hierarchy.ts';
import { joinedRooms } from './queries/joined-rooms.ts';
import { joinedMembers, members } from './queries/members.ts';
import { membership } from './queries/membership.ts';
import { messages } from './queries/messages.ts';
import { position } from './queries/position.ts';
import { predecessors } from './queries/predecessors.ts';
import { publicRooms } from './queries/public-rooms.ts';
import { relations } from './queries/relations.ts';
import { report, reports } from './queries/reports.ts';
import { roomExists } from './queries/room-exists.ts';
import { remoteServers } from './queries/remote-servers.ts';
import { roomFootprint } from './queries/room-footprint.ts';
import { roomsOfServer } from './queries/rooms-of-server.ts';
import { searchUsers } from './queries/search-users.ts';
import { bumpStamps } from './queries/sliding/bump-stamps.ts';
import { listedRooms } from './queries/sliding/listed-rooms.ts';
import { requiredState } from './queries/sliding/required-state.ts';
import { roomsInSpaces, roomTraits } from './queries/sliding/room-traits.ts';
import { state, stateEvent } from './queries/state.ts';
import { strippedState } from './queries/stripped-state.ts';
import { syncRooms } from './queries/sync-rooms.ts';
import { threads } from './queries/threads.ts';
import { unreadEvents } from './queries/unread-events.ts';
import { usersSharingRooms } from './queries/users-sharing-rooms.ts';
import { visibleEvents } from './queries/visible-events.ts';
import { visibleRanges } from './queries/visible-ranges.ts';
import type { InvitePermissionDeps } from './room/invite-permission.ts';
import { hasUnmarkedDepartures } from './storage/departures.ts';
import type { RoomserverTables } from './storage/tables.ts';

export type RoomserverReads = RoomserverForClient &
  RoomserverForUserapi &
  RoomserverForSync &
  RoomserverForSliding &
  RoomserverForSearch &
  RoomserverForAdmin;

/** Everything that others may read of the room server, run in the process of the caller. */
export function roomserverReads(
  database: Database,
  logger: Pick<Logger, 'warn'>,
  userapi: Pick<UserapiForRoomserver, 'ignoredUsers' | 'invitesBlockedBy'>,
): RoomserverReads {
  const deps = { db: database.tables<RoomserverTables>(), logger, userapi };
  return {
    ...forClient(deps),
    ...forAdmin(deps),
    ...forSliding(deps),
    predecessors: (roomIds) => predecessors(deps, roomIds),
    position: () => position(deps),
    changedRooms: (userId, since, until) => changedRooms(deps, userId, since, until),
    hasUnmarkedDepartures: (userId, deviceId, since) =>
      hasUnmarkedDepartures(deps.db, { userId, deviceId, since }),
    syncRooms: (userId, deviceId, rooms) => syncRooms(deps, userId, deviceId, rooms),
    unreadEvents: (userId, rooms, until) => unreadEvents(deps, userId, rooms, until),
    notifiableEvents: (userId, page) => notifiableEvents(deps, userId, page),
    strippedState: (userId, roomIds) => strippedState(deps, userId, roomIds),
    isShared: (roomId) => isShared(deps, roomId),
    usersSharingRooms: (userId, candidates) => usersSharingRooms(deps, userId, candidates),
    encryptedRoomChanges: (userId, since, until) => encryptedRoomChanges(deps, userId, since, until),
    eventsOfTypes: (page) => eventsOfTypes(deps, page),
    countOfTypes: (types, upTo, roomId) => countOfTypes(deps, types, upTo, roomId),
    eventsById: (eventIds) => eventsById(deps, eventIds),
    visibleRanges: (userId) => visibleRanges(deps, userId),
    visibleEvents: (userId, deviceId, eventIds) => visibleEvents(deps, userId, deviceId, eventIds),
    eventContexts: (...asked) => eventContexts(deps, ...asked),
  };
}

function forClient(deps: ReaderDeps): RoomserverForClient {
  return {
    joinedRooms: (userId) => joinedRooms(deps, userId),
    membership: (roomId, userId) => membership(deps, roomId, userId),
    roomIdByAlias: (alias) => roomIdByAlias(deps, alias),
    aliases: (roomId) => aliases(deps, roomId),
    isListed: (roomId) => isListed(deps, roomId),
    searchUsers: (userId, asked) => searchUsers(deps, userId, asked),
    publicRooms: (page) => publicRooms(deps, page),
    spaceHierarchy: (roomId, userId, request) => spaceHierarchy(deps, roomId, userId, request),
    roomPreview: (roomId, userId) => roomPreview(deps, roomId, userId),
    state: (roomId, userId) => state(deps, roomId, userId),
    stateEvent: (roomId, userId, type, stateKey) => stateEvent(deps, roomId, userId, type, stateKey),
    members: (roomId, userId, filter) => members(deps, roomId, userId, filter),
    joinedMembers: (roomId, userId) => joinedMembers(deps, roomId, userId),
    event: (roomId, userId, eventId, deviceId) => event(deps, roomId, userId, eventId, deviceId),
    eventContext: (roomId, userId, eventId, options) => eventContext(deps, roomId, userId, eventId, options),
    eventAtTime: (roomId, userId, place) => eventAtTime(deps, roomId, userId, place),
    relations: (roomId, userId, request) => relations(deps, roomId, userId, request),
    threads: (roomId, userId, request) => threads(deps, roomId, userId, request),
    messages: (roomId, userId, page) => messages(deps, roomId, userId, page),
  };
}

function forSliding(deps: ReaderDeps & InvitePermissionDeps): RoomserverForSliding {
  return {
    listedRooms: (userId, since, until) => listedRooms(deps, userId, since, until),
    roomTraits: (userId, roomIds) => roomTraits(deps, userId, roomIds),
    roomsInSpaces: (userId, spaceIds) => roomsInSpaces(deps, userId, spaceIds),
    requiredState: (userId, requests) => requiredState(deps, userId, requests),
    bumpStamps: (userId, roomIds, until) => bumpStamps(deps, userId, roomIds, until),
  };
}

function forAdmin(deps: ReaderDeps): RoomserverForAdmin {
  return {
    roomExists: (roomId) => roomExists(deps, roomId),
    occupants: (roomId) => occupants(deps, roomId),
    occupiedRooms: (userId) => occupiedRooms(deps, userId),
    isPurgeable: (roomId) => isPurgeable(deps, roomId),
    emptyRooms: (page) => emptyRooms(deps, page),
    findRooms: (selection) => findRooms(deps, selection),
    roomFootprint: (roomIds) => roomFootprint(deps, roomIds),
    remoteServers: (roomIds) => remoteServers(deps, roomIds),
    roomsOfServer: (serverName, page) => roomsOfServer(deps, serverName, page),
    deletions: (page) => deletions(deps, page),
    reports: (filter, page) => reports(deps, filter, page),
    report: (reportId, kind) => report(deps, reportId, kind),
  };
}
