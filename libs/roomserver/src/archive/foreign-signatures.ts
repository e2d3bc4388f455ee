import type { FederationForRoomserver, SigningServerKey } from '@seneschal/contracts';
import { isJsonObject, own, type Pdu, type RoomVersion, serverNameOf, verifyEvent } from '@seneschal/matrix';

/** An event of another server, and where in the archive it stands. */
export interface ForeignEvent {
  number: number;
  pdu: Pdu;
  version: RoomVersion;
}

/** Signatures of one server by one event that are looked at. */
const mostKeys = 10;

/**
 * Holds events of other servers against the keys that are known of these: no server is asked for any. Keys are
 * read once for a batch of events.
 */
export class ForeignSignatures {
  readonly #keys: FederationForRoomserver;
  #unverified = 0;

  constructor(keys: FederationForRoomserver) {
    this.#keys = keys;
  }

  /** How many events there were of whose servers no fitting key is known. */
  get unverified(): number {
    return this.#unverified;
  }

  /** Answers the first event that its server has not signed; undefined when each is right, or cannot be checked. */
  async check(events: readonly ForeignEvent[]): Promise<ForeignEvent | undefined> {
    const wanted = events.flatMap(({ pdu }) => {
      const serverName = serverNameOf(pdu.sender) ?? '';
      return keyIdsOf(pdu, serverName).map((keyId) => ({ serverName, keyId }));
    });
    const known = new Map<string, SigningServerKey>();
    if (wanted.length > 0) {
      for (const key of await this.#keys.storedKeys(wanted)) known.set(nameOf(key), key);
    }
    for (const event of events) {
      const verdict = judge(event, known);
      if (verdict === 'wrong') return event;
      if (verdict === 'unknown') this.#unverified += 1;
    }
    return undefined;
  }
}

/** By any key that was valid when the event was made; an event without a signature of its server is wrong. */
function judge(
  { pdu, version }: ForeignEvent,
  known: ReadonlyMap<string, SigningServerKey>,
): 'right' | 'wrong' | 'unknown' {
  const serverName = serverNameOf(pdu.sender) ?? '';
  const keyIds = keyIdsOf(pdu, serverName);
  // An invite by third party is signed by whoever stands for it (server-server API, "Checks performed on receipt of a PDU").
  if (keyIds.length === 0) return isThirdPartyInvite(pdu) ? 'unknown' : 'wrong';
  const keys = keyIds
    .flatMap((keyId) => known.get(nameOf({ serverName, keyId })) ?? [])
    .filter(({ validUntil }) => !version.enforcesKeyValidity || validUntil >= pdu.origin_server_ts);
  if (keys.length === 0) return 'unknown';
  const isRight = keys.some(({ keyId, publicKey }) =>
    verifyEvent(pdu, version, serverName, publicKey, keyId),
  );
  return isRight ? 'right' : 'wrong';
}

function keyIdsOf(pdu: Pdu, serverName: string): string[] {
  const signatures = own(own(pdu, 'signatures'), serverName);
  return isJsonObject(signatures)
    ? Object.keys(signatures)
        .filter((keyId) => keyId.startsWith('ed25519:'))
        .slice(0, mostKeys)
    : [];
}

function isThirdPartyInvite({ type, content }: Pdu): boolean {
  return type === 'm.room.member' && own(content, 'third_party_invite') !== undefined;
}

function nameOf({ serverName, keyId }: { serverName: string; keyId: string }): string {
  return `${serverName} ${keyId}`;
}
