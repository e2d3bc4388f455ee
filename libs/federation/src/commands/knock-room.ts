import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, roomserver } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { listOf } from '../inbound/receive-in-room.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { makeEntry } from './make-entry.ts';
import { strippedStateOf } from './stripped-state.ts';
import { throughServers, type ThroughServersDeps } from './through-servers.ts';

type Input = z.infer<typeof federation.knockRoom.input>;
type Output = z.infer<typeof federation.knockRoom.output>;

export interface KnockRoomDeps extends ThroughServersDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
}

const timeoutMs = 30_000;
const maximumBytes = 1024 * 1024;

/**
 * Knocks at a room through the first server that lets the user, by make_knock and send_knock. Nothing of the template is
 * signed but the knock that was asked for. Repeated, it knocks anew.
 */
export async function knockRoom(deps: KnockRoomDeps, input: Input): Promise<Output> {
  return throughServers(deps, input, (server) => knockThrough(deps, input, server));
}

async function knockThrough(deps: KnockRoomDeps, input: Input, server: string): Promise<Output> {
  const { roomId } = input;
  const { versionId, eventId, pdu } = await makeEntry(deps, 'knock', server, input);
  const event = pdu as unknown as JsonObject;
  const answer = await deps.client.send({
    destination: server,
    method: 'PUT',
    uri: `/_matrix/federation/v1/send_knock/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
    content: event,
    timeoutMs,
    maxBytes: maximumBytes,
  });
  const strippedState = strippedStateOf(listOf(answer, 'knock_room_state'));
  await deps.bus.call(roomserver.storeOutsideMembership, {
    roomId,
    roomVersion: versionId,
    event,
    strippedState,
  });
  return { roomId, eventId };
}
