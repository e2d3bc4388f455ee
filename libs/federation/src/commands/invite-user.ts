import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, roomserver } from '@seneschal/contracts';
import {
  eventIdOf,
  forbidden,
  isJsonObject,
  type JsonObject,
  MatrixError,
  own,
  type Pdu,
  readEvent,
  roomVersion,
  serverNameOf,
  type Signer,
  verifyEvent,
} from '@seneschal/matrix';

import type { KeyRing } from '../keys/key-ring.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.inviteUser.input>;

export interface InviteUserDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  keys: Pick<KeyRing, 'publicKey'>;
  signer: Signer;
}

/**
 * Invites a user of another server: the event is drafted, signed there, and only then stored here. M_FORBIDDEN when the
 * room or the other server does not allow it, 502 M_UNKNOWN when that server cannot be reached.
 */
export async function inviteUser(deps: InviteUserDeps, input: Input): Promise<{ eventId: string }> {
  const { roomId, sender, target, content } = input;
  const asked = { roomId, sender, target, membership: 'invite' as const, content };
  const drafted = await deps.bus.call(roomserver.draftMembership, asked);
  const version = roomVersion(drafted.roomVersion);
  const pdu = drafted.event as unknown as Pdu;
  const eventId = eventIdOf(pdu, version);
  const destination = serverNameOf(target) ?? '';
  const answer = await deps.client
    .send({
      destination,
      method: 'PUT',
      uri: `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
      content: {
        room_version: drafted.roomVersion,
        event: drafted.event,
        invite_room_state: drafted.strippedState,
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof Unreachable)) throw error;
      throw new MatrixError(502, 'M_UNKNOWN', `${destination} could not be asked: ${error.message}`);
    });
  const event = await withTheirSignature(deps, pdu, own(answer, 'event'), destination, drafted.roomVersion);
  const { results } = await deps.bus.call(roomserver.receiveEvents, {
    ...{ roomId, origin: deps.signer.serverName, isRelayed: true },
    events: [{ pdu: event }],
    outliers: [],
  });
  const outcome = results[0]?.outcome;
  if (outcome !== 'accepted' && outcome !== 'known') {
    throw forbidden(
      `The room does not allow the invite: ${results[0]?.reason ?? 'it has changed meanwhile.'}`,
    );
  }
  return { eventId };
}

/** Our event, with the signatures of the other server added; nothing else of what came back is taken. */
async function withTheirSignature(
  { keys }: InviteUserDeps,
  pdu: Pdu,
  returned: unknown,
  server: string,
  versionId: string,
): Promise<JsonObject> {
  const version = roomVersion(versionId);
  if (!isJsonObject(returned)) throw forbidden(`${server} did not answer with the invite.`);
  const { unsigned: _, ...kept } = returned;
  const theirs = readEvent(kept, version);
  if (eventIdOf(theirs, version) !== eventIdOf(pdu, version)) {
    throw forbidden(`${server} answered with another event than the invite.`);
  }
  const signatures = theirs.signatures[server] ?? {};
  for (const keyId of Object.keys(signatures).slice(0, 3)) {
    const key = await keys.publicKey(server, keyId);
    if (key === undefined || !verifyEvent(theirs, version, server, key, keyId)) continue;
    const event = {
      ...pdu,
      signatures: { ...pdu.signatures, [server]: { [keyId]: signatures[keyId] ?? '' } },
    };
    return event;
  }
  throw forbidden(`${server} did not sign the invite.`);
}
