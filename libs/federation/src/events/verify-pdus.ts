import { setImmediate } from 'node:timers/promises';

import {
  checkContentHash,
  eventIdOf,
  isMatrixError,
  type JsonObject,
  own,
  ownString,
  type Pdu,
  readEvent,
  redact,
  type RoomVersion,
  serverNameOf,
  verifyEvent,
} from '@seneschal/matrix';

import type { KeyRing } from '../keys/key-ring.ts';

export interface VerifyDeps {
  keys: Pick<KeyRing, 'publicKey' | 'prepare'>;
}

export interface VerifiedPdus {
  /** By event ID, in the order in which they came; redacted where the content is not what was hashed. */
  pdus: Map<string, JsonObject>;
  /** What is not believed, by event ID, or by place where there is none. */
  refused: Map<string, string>;
}

/** Events after which others get their turn: the state of a large room takes many seconds. */
const turn = 200;
/** Keys of a server that are tried for one event. */
const maximumKeys = 3;

/**
 * The one check that everything from other servers goes through, whichever way it came: is it an event of the room and
 * the version, signed by every server that has to have signed it? Keys of servers are fetched together. One event that
 * is refused harms no other.
 */
export async function verifyPdus(
  deps: VerifyDeps,
  room: { roomId: string; version: RoomVersion },
  given: readonly unknown[],
): Promise<VerifiedPdus> {
  const verified: VerifiedPdus = { pdus: new Map(), refused: new Map() };
  const events: { eventId: string; pdu: Pdu }[] = [];
  for (const [index, value] of given.entries()) {
    if (index % turn === turn - 1) await setImmediate();
    try {
      const pdu = readEvent(withoutUnsigned(value), room.version);
      const eventId = eventIdOf(pdu, room.version);
      if (roomIdOf(pdu, eventId, room.version) === room.roomId) events.push({ eventId, pdu });
      else verified.refused.set(eventId, 'It is of another room.');
    } catch (error) {
      if (!isMatrixError(error)) throw error;
      verified.refused.set(`#${index}`, error.message);
    }
  }
  await deps.keys.prepare(events.flatMap(({ pdu }) => signersOf(pdu, room.version)));
  for (const [index, { eventId, pdu }] of events.entries()) {
    if (index % turn === turn - 1) await setImmediate();
    const unsigned = await missingSignature(deps, pdu, room.version);
    if (unsigned !== undefined) verified.refused.set(eventId, `It is not signed by ${unsigned}.`);
    else verified.pdus.set(eventId, believed(pdu, room.version));
  }
  return verified;
}

function believed(pdu: Pdu, version: RoomVersion): JsonObject {
  return (checkContentHash(pdu, version) ? pdu : redact(pdu, version)) as unknown as JsonObject;
}

function withoutUnsigned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { unsigned: _, ...kept } = value as JsonObject;
  return kept;
}

/** From version 12 the create event names the room by its own ID. */
function roomIdOf(pdu: Pdu, eventId: string, version: RoomVersion): string | undefined {
  const isNaming = version.roomIdIsCreateHash && pdu.type === 'm.room.create' && pdu.state_key === '';
  return isNaming && pdu.room_id === undefined ? `!${eventId.slice(1)}` : pdu.room_id;
}

/**
 * Servers that have to have signed an event (server-server API, "Validating hashes and signatures on received events"):
 * the sender's, but for invites by a third party; the one that made the ID, where it is not a hash; the one of the user
 * who allowed the join to a restricted room.
 */
export function signersOf(pdu: Pdu, version: RoomVersion): string[] {
  const signers = new Set<string | undefined>();
  const isMember = pdu.type === 'm.room.member';
  const membership = isMember ? ownString(pdu.content, 'membership') : undefined;
  const isThirdParty = membership === 'invite' && own(pdu.content, 'third_party_invite') !== undefined;
  if (!isThirdParty) signers.add(serverNameOf(pdu.sender));
  if (version.eventIdFormat === 'in-event') signers.add(serverNameOf(pdu.event_id ?? ''));
  const authoriser = ownString(pdu.content, 'join_authorised_via_users_server');
  if (version.restrictedJoins && membership === 'join' && authoriser !== undefined) {
    signers.add(serverNameOf(authoriser));
  }
  return [...signers].map((signer) => signer ?? '');
}

async function missingSignature(
  { keys }: VerifyDeps,
  pdu: Pdu,
  version: RoomVersion,
): Promise<string | undefined> {
  const at = version.enforcesKeyValidity ? pdu.origin_server_ts : 0;
  for (const server of signersOf(pdu, version)) {
    const keyIds = Object.keys((own(pdu.signatures, server) ?? {}) as JsonObject).slice(0, maximumKeys);
    let isSigned = false;
    for (const keyId of keyIds) {
      const key = await keys.publicKey(server, keyId, at);
      isSigned ||= key !== undefined && verifyEvent(pdu, version, server, key, keyId);
    }
    if (!isSigned) return server;
  }
  return undefined;
}
