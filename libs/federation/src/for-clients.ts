import { handle, type Handler } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';

import { knockRoom, type KnockRoomDeps } from './commands/knock-room.ts';
import { remoteRoomSummary, type RemoteRoomSummaryDeps } from './commands/remote-room-summary.ts';
import { remotePublicRooms } from './commands/remote-public-rooms.ts';
import { remoteTimestampToEvent, type RemoteTimestampDeps } from './commands/remote-timestamp-to-event.ts';

/** What other servers are asked for local users, beside joining and leaving. */
export function forClients(deps: KnockRoomDeps & RemoteTimestampDeps & RemoteRoomSummaryDeps): Handler[] {
  return [
    handle(federation.knockRoom, (input) => knockRoom(deps, input)),
    handle(federation.remotePublicRooms, (input) => remotePublicRooms(deps, input)),
    handle(federation.remoteRoomSummary, (input) => remoteRoomSummary(deps, input)),
    handle(federation.remoteTimestampToEvent, (input) => remoteTimestampToEvent(deps, input)),
  ];
}
