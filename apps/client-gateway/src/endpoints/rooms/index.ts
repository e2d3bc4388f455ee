import type { CallBus } from '@seneschal/bus';
import type {
  RoomserverForClient,
  RoomserverForFederation,
  SyncapiForClient,
  UserapiForClient,
  UserapiForGateways,
} from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';

import { deleteAlias, getAlias, putAlias } from './alias.ts';
import { ban } from './ban.ts';
import { capabilities } from './capabilities.ts';
import { context } from './context.ts';
import { createRoom } from './create-room.ts';
import { getDirectoryVisibility, putDirectoryVisibility } from './directory-visibility.ts';
import { event } from './event.ts';
import { forget } from './forget.ts';
import { hierarchy } from './hierarchy.ts';
import { invite } from './invite.ts';
import { joinedMembers } from './joined-members.ts';
import { joinedRooms } from './joined-rooms.ts';
import { joinRoomByAlias } from './join-by-alias.ts';
import { joinRoom } from './join.ts';
import { kick } from './kick.ts';
import { knock } from './knock.ts';
import { leave } from './leave.ts';
import { members } from './members.ts';
import { messages } from './messages.ts';
import { getPublicRooms, searchPublicRooms } from './public-rooms.ts';
import { roomSummary } from './room-summary.ts';
import { roomAliases } from './room-aliases.ts';
import { redact } from './redact.ts';
import { relations } from './relations.ts';
import { reportEvent, reportRoom, reportUser } from './report.ts';
import { send } from './send.ts';
import { getStateEvent, putStateEvent } from './state-event.ts';
import { state } from './state.ts';
import { threads } from './threads.ts';
import { timestampToEvent } from './timestamp-to-event.ts';
import { turnServer } from './turn-server.ts';
import { unban } from './unban.ts';
import { upgradeRoom } from './upgrade-room.ts';
import { clientVersions } from './versions.ts';

export interface RoomEndpointDeps {
  bus: CallBus;
  roomserver: RoomserverForClient;
  /** Knows which rooms live on other servers. */
  elsewhere: Pick<RoomserverForFederation, 'federatedRoom' | 'joinedServers' | 'membershipEvent'>;
  userapi: Pick<UserapiForClient, 'account' | 'profile' | 'profiles'> & UserapiForGateways;
  syncapi: Pick<SyncapiForClient, 'positionOf' | 'tokenOf'>;
  serverName: string;
  defaultRoomVersion: string;
}

/** Rooms and their directory, and what a client asks for before it starts. */
export function roomEndpoints(deps: RoomEndpointDeps): Endpoint[] {
  return [
    clientVersions(),
    capabilities(deps),
    turnServer(),
    createRoom(deps),
    upgradeRoom(deps),
    joinRoom(deps),
    joinRoomByAlias(deps),
    knock(deps),
    leave(deps),
    invite(deps),
    kick(deps),
    ban(deps),
    unban(deps),
    forget(deps),
    joinedRooms(deps),
    send(deps),
    redact(deps),
    getStateEvent(deps),
    putStateEvent(deps),
    state(deps),
    members(deps),
    joinedMembers(deps),
    event(deps),
    context(deps),
    timestampToEvent(deps),
    messages(deps),
    ...relations(deps),
    threads(deps),
    getAlias(deps),
    putAlias(deps),
    deleteAlias(deps),
    roomAliases(deps),
    getDirectoryVisibility(deps),
    putDirectoryVisibility(deps),
    hierarchy(deps),
    roomSummary(deps),
    getPublicRooms(deps),
    searchPublicRooms(deps),
    reportEvent(deps),
    reportRoom(deps),
    reportUser(deps),
  ];
}
