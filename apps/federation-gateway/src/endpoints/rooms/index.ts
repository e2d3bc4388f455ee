import type { CallBus } from '@seneschal/bus';
import type { Endpoint } from '@seneschal/http';

import { hierarchy } from './hierarchy.ts';
import { backfill, event, missingEvents } from './history.ts';
import { invite, oldInvite } from './invite.ts';
import { makeMemberships } from './make-membership.ts';
import { publicRooms } from './public-rooms.ts';
import { queryDirectory } from './query-directory.ts';
import { sendJoin, sendKnock, sendLeave } from './send-membership.ts';
import { send } from './send.ts';
import type { RoomReads } from './shapes.ts';
import { timestampToEvent } from './timestamp-to-event.ts';
import { eventAuth, state, stateIds } from './state.ts';

export interface RoomEndpointDeps {
  bus: CallBus;
  roomserver: RoomReads;
  serverName: string;
}

/** Rooms that are shared with other servers. */
export function roomEndpoints(deps: RoomEndpointDeps): Endpoint[] {
  return [
    send(deps),
    ...makeMemberships(deps),
    ...sendJoin(deps),
    ...sendLeave(deps),
    sendKnock(deps),
    invite(deps),
    oldInvite(deps),
    event(deps),
    backfill(deps),
    missingEvents(deps),
    state(deps),
    stateIds(deps),
    eventAuth(deps),
    timestampToEvent(deps),
    queryDirectory(deps),
    ...publicRooms(deps),
    hierarchy(deps),
  ];
}
