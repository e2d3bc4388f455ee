import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import {
  buildEvent,
  isMatrixError,
  type JsonObject,
  leaveFromTemplate,
  newEventId,
  notFound,
  own,
  ownString,
  roomVersion,
  type Signer,
} from '@seneschal/matrix';

import { serversOfOutsider } from '../inbound/outside.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.leaveRoom.input>;
type Output = z.infer<typeof federation.leaveRoom.output>;

export interface LeaveRoomDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  signer: Signer;
  roomserver: Pick<RoomserverForFederation, 'federatedRoom' | 'membershipEvent'>;
}

const timeoutMs = 15_000;
const maximumServers = 2;

/**
 * Turns down an invite, or takes back a knock, by make_leave and send_leave with the server that it came from. Of the
 * template nothing is signed that was not asked for; when no leave can be agreed on, the user is out on this server.
 */
export async function leaveRoom(deps: LeaveRoomDeps, { roomId, userId }: Input): Promise<Output> {
  const before = await deps.roomserver.membershipEvent(roomId, userId);
  const room = await deps.roomserver.federatedRoom(roomId);
  if (before === undefined || room === undefined) throw notFound('You are not in that room.');
  const { roomVersion: versionId } = room;
  let reason: string | undefined;
  let event: JsonObject;
  try {
    event = await agreeWithOne(
      deps,
      { roomId, userId, versionId },
      serversOfOutsider(before, userId).slice(0, maximumServers),
    );
  } catch (error) {
    if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
    reason = error.message;
    event = leaveAlone(deps.signer, roomId, userId, versionId);
  }
  const stored = { roomId, roomVersion: versionId, event, strippedState: [] };
  const { eventId } = await deps.bus.call(roomserver.storeOutsideMembership, stored);
  return { eventId, isTold: reason === undefined, ...(reason === undefined ? {} : { reason }) };
}

async function agreeWithOne(
  deps: LeaveRoomDeps,
  asked: { roomId: string; userId: string; versionId: string },
  servers: readonly string[],
): Promise<JsonObject> {
  let failure: unknown = notFound('No server of the room is known.');
  for (const server of servers) {
    try {
      return await agreeOnLeave(deps, { ...asked, server });
    } catch (error) {
      if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function agreeOnLeave(
  { client, signer }: LeaveRoomDeps,
  {
    roomId,
    userId,
    versionId,
    server,
  }: { roomId: string; userId: string; versionId: string; server: string },
): Promise<JsonObject> {
  const template = await client.send({
    destination: server,
    method: 'GET',
    uri: `/_matrix/federation/v1/make_leave/${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`,
    timeoutMs,
  });
  const told = ownString(template, 'room_version') ?? '1';
  const expected = { roomId, userId, roomVersion: told, origin_server_ts: Date.now() };
  const proto = leaveFromTemplate(own(template, 'event'), expected);
  const { eventId, pdu } = buildEvent(proto, roomVersion(told), signer);
  await client.send({
    destination: server,
    method: 'PUT',
    uri: `/_matrix/federation/v2/send_leave/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
    content: pdu as unknown as JsonObject,
    timeoutMs,
  });
  if (told !== versionId) throw notFound('The server tells another room version than when it invited.');
  return pdu as unknown as JsonObject;
}

function leaveAlone(signer: Signer, roomId: string, userId: string, versionId: string): JsonObject {
  const version = roomVersion(versionId);
  const { pdu } = buildEvent(
    {
      ...(version.eventIdFormat === 'in-event' ? { event_id: newEventId(signer.serverName) } : {}),
      type: 'm.room.member',
      room_id: roomId,
      sender: userId,
      state_key: userId,
      content: { membership: 'leave' },
      origin_server_ts: Date.now(),
      prev_events: [],
      auth_events: [],
      depth: 1,
    },
    version,
    signer,
  );
  return pdu as unknown as JsonObject;
}
