import { type EventReference, type Pdu, referenceHash, type RoomVersion } from '@seneschal/matrix';

const hashes = new WeakMap<Pdu, string>();

/**
 * How a new event names another: its ID, in room versions 1 and 2 with its reference hash, which is left out when the
 * event cannot be read.
 */
export function referTo(eventId: string, pdu: Pdu | undefined, version: RoomVersion): EventReference {
  if (version.eventReferences === 'ids') return eventId;
  return [eventId, pdu === undefined ? {} : { sha256: hashOf(pdu, version) }];
}

/** Computed once for each event object: state events are named again and again. */
function hashOf(pdu: Pdu, version: RoomVersion): string {
  let hash = hashes.get(pdu);
  if (hash === undefined) {
    hash = referenceHash(pdu, version);
    hashes.set(pdu, hash);
  }
  return hash;
}
