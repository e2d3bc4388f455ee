import type { z } from 'zod';

import {
  type federation,
  roomserver,
  type RoomserverForFederation,
  type UserapiForFederation,
} from '@seneschal/contracts';
import {
  badJson,
  eventIdOf,
  forbidden,
  incompatibleRoomVersion,
  inviteBlocked,
  invalidParam,
  type JsonObject,
  notFound,
  ownString,
  type Pdu,
  readEvent,
  roomVersion,
  serverNameOf,
  signEvent,
  type Signer,
  supportedRoomVersions,
} from '@seneschal/matrix';

import { verifyPdus } from '../events/verify-pdus.ts';
import { errorOf, receiveInRoom, type ReceiveInRoomDeps } from '../inbound/receive-in-room.ts';
import { strippedStateOf } from './stripped-state.ts';

type Input = z.infer<typeof federation.receiveInvite.input>;

export interface ReceiveInviteDeps extends ReceiveInRoomDeps {
  signer: Signer;
  roomserver: Pick<RoomserverForFederation, 'forwardExtremities' | 'federatedRoom'>;
  userapi: Pick<UserapiForFederation, 'profile' | 'invitesBlockedBy'>;
}

/** Lets a local user be invited from elsewhere, and signs the invite. M_FORBIDDEN when the room is blocked here, M_INVITE_BLOCKED when the user wants no invites. */
export async function receiveInvite(deps: ReceiveInviteDeps, input: Input): Promise<{ event: JsonObject }> {
  const { roomId, eventId, origin } = input;
  if (!supportedRoomVersions.includes(input.roomVersion)) throw incompatibleRoomVersion(input.roomVersion);
  const version = roomVersion(input.roomVersion);
  const pdu = checkShape(input);
  const target = pdu.state_key ?? '';
  if ((await deps.userapi.profile(target)) === undefined) throw notFound('There is no such user.');
  const { pdus, refused } = await verifyPdus(deps, { roomId, version }, [pdu]);
  const verified = pdus.get(eventId);
  if (verified === undefined) throw forbidden(`The invite is refused: ${[...refused.values()].join(' ')}`);
  if ((await deps.userapi.invitesBlockedBy([target])).has(target)) throw inviteBlocked();
  const event = signEvent(verified as unknown as Pdu, version, deps.signer) as unknown as JsonObject;
  const room = await deps.roomserver.federatedRoom(roomId);
  if (room?.isClosed === true) throw forbidden('The room is being deleted on this server.');
  if (room?.isResident === true) {
    const delivery = { roomId, version, origin, isRelayed: true, pdus: new Map([[eventId, event]]) };
    const result = (await receiveInRoom(deps, delivery)).get(eventId);
    const error = result && errorOf(result);
    if (error !== undefined) throw forbidden(`The room does not allow the invite: ${error}`);
    return { event };
  }
  const strippedState = strippedStateOf(input.strippedState);
  const { roomVersion: told } = input;
  await deps.bus.call(roomserver.storeOutsideMembership, { roomId, roomVersion: told, event, strippedState });
  return { event };

  function checkShape({ event: given }: Input): Pdu {
    const { unsigned: _, ...kept } = given;
    const read = readEvent(kept, version);
    if (read.room_id !== roomId) throw invalidParam('The event is of another room than the path.');
    if (eventIdOf(read, version) !== eventId) throw invalidParam('The event is not the one in the path.');
    if (read.type !== 'm.room.member' || ownString(read.content, 'membership') !== 'invite') {
      throw badJson('The event is no invite.');
    }
    if (serverNameOf(read.state_key ?? '') !== deps.signer.serverName) {
      throw invalidParam('The invited user is not of this server.');
    }
    if (serverNameOf(read.sender) !== origin) throw forbidden('The inviting user is not of your server.');
    return read;
  }
}
