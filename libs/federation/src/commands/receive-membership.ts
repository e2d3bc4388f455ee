import type { z } from 'zod';

import { type federation, roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import {
  aclAllows,
  badJson,
  eventIdOf,
  forbidden,
  invalidParam,
  type JsonObject,
  notFound,
  ownString,
  type Pdu,
  readEvent,
  roomVersion,
  type RoomVersion,
  serverNameOf,
  signEvent,
  type Signer,
} from '@seneschal/matrix';

import { verifyPdus } from '../events/verify-pdus.ts';
import { errorOf, receiveInRoom, type ReceiveInRoomDeps } from '../inbound/receive-in-room.ts';

type Input = z.infer<typeof federation.receiveMembership.input>;

export interface ReceiveMembershipDeps extends ReceiveInRoomDeps {
  signer: Signer;
  roomserver: Pick<RoomserverForFederation, 'forwardExtremities' | 'federatedRoom'>;
}

/**
 * Takes a join, knock or leave after our template, and has the other servers of the room have it from here. M_NOT_FOUND
 * for a room that this server is not in, M_FORBIDDEN when the room does not allow it, M_INVALID_PARAM for an event that
 * is not what the path says.
 */
export async function receiveMembership(
  deps: ReceiveMembershipDeps,
  input: Input,
): Promise<{ event: JsonObject }> {
  const { roomId, origin } = input;
  const room = await deps.roomserver.federatedRoom(roomId);
  if (room?.isResident !== true || room.isClosed) throw notFound('This server is not in the room.');
  if (!aclAllows(room.serverAcl, origin)) throw forbidden('The room does not let your server take part.');
  const version = roomVersion(room.roomVersion);
  const given = checkShape(input, version);
  const pdu = await withOurSignature(deps, input, given, version);
  const { pdus, refused } = await verifyPdus(deps, { roomId, version }, [pdu]);
  const event = pdus.get(input.eventId);
  if (event === undefined) throw forbidden(`The event is refused: ${[...refused.values()].join(' ')}`);
  const delivery = { roomId, version, origin, isRelayed: true, pdus };
  const result = (await receiveInRoom(deps, delivery)).get(input.eventId);
  const error = result === undefined ? 'It was not received.' : (errorOf(result) ?? softFailure(result));
  if (error !== undefined) throw forbidden(`The room does not allow it: ${error}`);
  return { event };
}

function softFailure({
  outcome,
  reason,
}: {
  outcome: string;
  reason?: string | undefined;
}): string | undefined {
  return outcome === 'soft_failed' ? (reason ?? 'The room has changed meanwhile.') : undefined;
}

function checkShape({ event, eventId, roomId, membership, origin }: Input, version: RoomVersion): Pdu {
  const { unsigned: _, ...kept } = event;
  const pdu = readEvent(kept, version);
  if (pdu.room_id !== roomId) throw invalidParam('The event is of another room than the path.');
  if (eventIdOf(pdu, version) !== eventId) throw invalidParam('The event is not the one in the path.');
  if (pdu.type !== 'm.room.member' || ownString(pdu.content, 'membership') !== membership) {
    throw badJson(`The event is no ${membership}.`);
  }
  if (pdu.state_key !== pdu.sender) throw badJson('The event is not of the user itself.');
  if (serverNameOf(pdu.sender) !== origin) throw forbidden('The user is not of your server.');
  return pdu;
}

/**
 * A join that one of our users has to allow is signed only when the room lets the user in by what we know: else any
 * server could have itself let in (room versions 8 and later).
 */
async function withOurSignature(
  deps: ReceiveMembershipDeps,
  { roomId, membership }: Input,
  pdu: Pdu,
  version: RoomVersion,
): Promise<Pdu> {
  const authoriser = ownString(pdu.content, 'join_authorised_via_users_server');
  if (!version.restrictedJoins || membership !== 'join' || authoriser === undefined) return pdu;
  if (serverNameOf(authoriser) !== deps.signer.serverName) return pdu;
  const { sender } = pdu;
  const drafted = await deps.bus.call(roomserver.draftMembership, {
    ...{ roomId, sender, target: sender, membership, content: {} },
  });
  const needed = ownString(drafted.event['content'], 'join_authorised_via_users_server');
  if (needed === undefined) throw forbidden('The user needs nobody to allow the join.');
  return signEvent(pdu, version, deps.signer);
}
