import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import {
  eventIdOf,
  forbidden,
  isJsonObject,
  type JsonObject,
  own,
  type Pdu,
  readEvent,
  type RoomVersion,
  type Signer,
} from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { type VerifyDeps, verifyPdus } from '../events/verify-pdus.ts';
import { listOf } from '../inbound/receive-in-room.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { makeEntry } from './make-entry.ts';
import { throughServers } from './through-servers.ts';

type Input = z.infer<typeof federation.joinRoom.input>;
type Output = z.infer<typeof federation.joinRoom.output>;

export interface JoinRoomDeps extends VerifyDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  signer: Signer;
  roomserver: Pick<RoomserverForFederation, 'federatedRoom'>;
  logger: Pick<Logger, 'info'>;
}

const sendTimeoutMs = 150_000;
/** The state of a room with some 100,000 members. */
const maximumBytes = 128 * 1024 * 1024;

/** Joins through the first server that lets the user in. Repeated, it joins anew, which a room takes as no change. */
export async function joinRoom(deps: JoinRoomDeps, input: Input): Promise<Output> {
  return throughServers(deps, input, (server) => joinThrough(deps, input, server));
}

async function joinThrough(deps: JoinRoomDeps, input: Input, server: string): Promise<Output> {
  const { roomId } = input;
  const { versionId, version, ...join } = await makeEntry(deps, 'join', server, input);
  const answer = await deps.client.send({
    destination: server,
    method: 'PUT',
    uri: `/_matrix/federation/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`,
    content: join.pdu as unknown as JsonObject,
    timeoutMs: sendTimeoutMs,
    maxBytes: maximumBytes,
  });
  const room = { roomId, version };
  const event = await signedJoin(deps, room, join.pdu, answer);
  const state = await verifyPdus(deps, room, listOf(answer, 'state'));
  const authChain = await verifyPdus(deps, room, listOf(answer, 'auth_chain'));
  const stored = await deps.bus.call(roomserver.storeJoinedRoom, {
    ...{ roomId, roomVersion: versionId, origin: server, event },
    state: [...state.pdus.values()],
    authChain: [...authChain.pdus].filter(([eventId]) => !state.pdus.has(eventId)).map(([, pdu]) => pdu),
  });
  const refused = state.refused.size + authChain.refused.size + stored.refused.length;
  if (refused > 0) deps.logger.info({ server, roomId, refused }, 'events of a joined room are not believed');
  return { roomId, eventId: stored.eventId };
}

/** Our join, with the signature of a server that had to allow it. Nothing else of what came back is taken. */
async function signedJoin(
  deps: JoinRoomDeps,
  room: { roomId: string; version: RoomVersion },
  join: Pdu,
  answer: JsonObject,
): Promise<JsonObject> {
  const returned = own(answer, 'event');
  const signatures = isJsonObject(returned) ? sameEvent(returned, join, room.version) : undefined;
  const event =
    signatures === undefined ? join : { ...join, signatures: { ...signatures, ...join.signatures } };
  const { pdus } = await verifyPdus(deps, room, [event]);
  const [verified] = pdus.values();
  if (verified === undefined) throw forbidden('The join came back without the signature that it needs.');
  return verified;
}

function sameEvent(returned: JsonObject, join: Pdu, version: RoomVersion): Pdu['signatures'] | undefined {
  const { unsigned: _, ...kept } = returned;
  const pdu = readEvent(kept, version);
  return eventIdOf(pdu, version) === eventIdOf(join, version) ? pdu.signatures : undefined;
}
