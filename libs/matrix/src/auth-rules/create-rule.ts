import type { Pdu } from '../events.ts';
import { isUserId, serverNameOf } from '../identifiers.ts';
import { own } from '../json-types.ts';
import { supportedRoomVersions, type RoomVersion } from '../room-versions.ts';
import { demand } from './types.ts';

/** Rule 1: `m.room.create`. Returns when the event is allowed. */
export function checkCreate(pdu: Pdu, roomId: string, version: RoomVersion): void {
  demand(pdu.prev_events.length === 0, 'A create event has no prev_events');
  if (version.roomIdIsCreateHash) {
    demand(pdu.room_id === undefined, 'The create event of this room version has no room_id');
  } else {
    demand(pdu.room_id === roomId, 'The create event is for another room');
    demand(serverNameOf(roomId) === serverNameOf(pdu.sender), "The room ID has not the sender's server name");
  }
  const named = own(pdu.content, 'room_version');
  demand(
    named === undefined || (typeof named === 'string' && supportedRoomVersions.includes(named)),
    'The room version is not recognised',
  );
  if (!version.implicitRoomCreator) {
    demand(own(pdu.content, 'creator') !== undefined, 'The create event names no creator');
  }
  if (version.privilegedCreators) checkAdditionalCreators(pdu);
}

function checkAdditionalCreators(pdu: Pdu): void {
  const additional = own(pdu.content, 'additional_creators');
  if (additional === undefined) return;
  const areUserIds =
    Array.isArray(additional) && additional.every((id) => typeof id === 'string' && isUserId(id));
  demand(areUserIds, 'additional_creators is not a list of user IDs');
}
