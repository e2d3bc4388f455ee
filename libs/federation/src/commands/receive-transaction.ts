import type { z } from 'zod';

import type { federation, RoomserverForFederation } from '@seneschal/contracts';
import {
  aclAllows,
  eventIdOf,
  isMatrixError,
  type JsonObject,
  ownString,
  readEvent,
  roomVersion,
  supportedRoomVersions,
} from '@seneschal/matrix';

import { receiveEdus, type ReceiveEdusDeps } from '../edus/receive-edus.ts';
import { verifyPdus } from '../events/verify-pdus.ts';
import { errorOf, reasonOf, receiveInRoom, type ReceiveInRoomDeps } from '../inbound/receive-in-room.ts';
import { mayEndInvite, type OutsideDeps, receiveOutside } from '../inbound/outside.ts';

type Input = z.infer<typeof federation.receiveTransaction.input>;
type Output = z.infer<typeof federation.receiveTransaction.output>;

export interface ReceiveTransactionDeps extends ReceiveInRoomDeps, ReceiveEdusDeps, OutsideDeps {
  logger: ReceiveInRoomDeps['logger'] & ReceiveEdusDeps['logger'];
  roomserver: Pick<RoomserverForFederation, 'forwardExtremities' | 'federatedRoom'> &
    ReceiveEdusDeps['roomserver'] &
    OutsideDeps['roomserver'];
}

/** Takes the PDUs room by room, then the EDUs. See the contract for what it answers. */
export async function receiveTransaction(deps: ReceiveTransactionDeps, input: Input): Promise<Output> {
  const rooms = new Map<string, JsonObject[]>();
  for (const pdu of input.pdus) {
    const roomId = ownString(pdu, 'room_id');
    // Nothing can be answered on an event that names no room: its version, and so its ID, is not known.
    if (roomId !== undefined) rooms.set(roomId, [...(rooms.get(roomId) ?? []), pdu]);
  }
  const results: Output['pdus'] = {};
  for (const [roomId, pdus] of rooms) {
    for (const [eventId, error] of await receiveRoom(deps, input.origin, roomId, pdus)) {
      results[eventId] = error === undefined ? {} : { error };
    }
  }
  await receiveEdus(deps, input.origin, input.edus);
  return { pdus: results };
}

async function receiveRoom(
  deps: ReceiveTransactionDeps,
  origin: string,
  roomId: string,
  given: readonly JsonObject[],
): Promise<Map<string, string | undefined>> {
  const room = await deps.roomserver.federatedRoom(roomId);
  if (room === undefined) return refuseAll(given, '11', 'This server is not in the room.');
  if (room.isClosed) return refuseAll(given, room.roomVersion, 'The room is being deleted on this server.');
  if (!room.isResident)
    return receiveElsewhere(deps, { origin, roomId, roomVersion: room.roomVersion }, given);
  if (!aclAllows(room.serverAcl, origin)) {
    return refuseAll(given, room.roomVersion, 'The room does not let this server take part.');
  }
  const version = roomVersion(room.roomVersion);
  const { pdus, refused } = await verifyPdus(deps, { roomId, version }, given);
  const errors = new Map<string, string | undefined>(
    [...refused].filter(([eventId]) => eventId.startsWith('$')),
  );
  if (pdus.size === 0) return errors;
  try {
    const delivery = { roomId, version, origin, isRelayed: false, pdus };
    for (const [eventId, result] of await receiveInRoom(deps, delivery)) errors.set(eventId, errorOf(result));
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    for (const eventId of pdus.keys()) errors.set(eventId, reasonOf(error));
  }
  return errors;
}

/** Of a room that lives elsewhere only what ends an invite or a knock of one of our users. */
async function receiveElsewhere(
  deps: ReceiveTransactionDeps,
  room: { origin: string; roomId: string; roomVersion: string },
  given: readonly JsonObject[],
): Promise<Map<string, string | undefined>> {
  const errors = refuseAll(given, room.roomVersion, 'This server is not in the room.');
  // Nobody's keys are fetched for anything else.
  const candidates = given.filter((pdu) => mayEndInvite(pdu, room.origin, deps.serverName));
  if (candidates.length === 0 || !supportedRoomVersions.includes(room.roomVersion)) return errors;
  const version = roomVersion(room.roomVersion);
  const { pdus } = await verifyPdus(deps, { roomId: room.roomId, version }, candidates);
  for (const [eventId, pdu] of pdus) {
    if (await receiveOutside(deps, room, pdu)) errors.set(eventId, undefined);
  }
  return errors;
}

function refuseAll(
  given: readonly JsonObject[],
  versionId: string,
  reason: string,
): Map<string, string | undefined> {
  const version = roomVersion(supportedRoomVersions.includes(versionId) ? versionId : '11');
  const errors = new Map<string, string | undefined>();
  for (const value of given) {
    try {
      errors.set(eventIdOf(readEvent(value, version), version), reason);
    } catch (error) {
      if (!isMatrixError(error)) throw error;
    }
  }
  return errors;
}
