import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { decodeUnpaddedBase64, encodeUnpaddedBase64, encodeUrlSafeBase64 } from './base64.ts';
import { badJson, tooLarge } from './errors.ts';
import { fitsIdentifier } from './identifiers.ts';
import { canonicalJson, MAX_JSON_DEPTH, sortKeys, type CanonicalOptions } from './json.ts';
import { own, ownString, type JsonObject } from './json-types.ts';
import { redact } from './redaction.ts';
import type { RoomVersion } from './room-versions.ts';
import { signBytes, signedText, verifyBytes, type Signatures, type SigningKey } from './signing.ts';

/** How an event names another: by its ID, in room versions 1 and 2 with the reference hash beside it. */
export type EventReference = string | [eventId: string, hashes: Record<string, string>];

/** A persistent data unit. Treat it as immutable: results are cached by object. */
export interface Pdu {
  /** Only in room versions 1 and 2; later the ID is the event's hash. */
  event_id?: string;
  type: string;
  /** Absent on the create event of room version 12. */
  room_id?: string;
  sender: string;
  state_key?: string;
  content: JsonObject;
  /** Milliseconds since 1970. */
  origin_server_ts: number;
  prev_events: EventReference[];
  auth_events: EventReference[];
  depth: number;
  hashes: { sha256: string };
  signatures: Signatures;
  unsigned?: JsonObject;
  /** Only in redactions before room version 11. */
  redacts?: string;
}

export type ProtoEvent = Omit<Pdu, 'hashes' | 'signatures' | 'unsigned'>;

export interface BuiltEvent {
  eventId: string;
  roomId: string;
  pdu: Pdu;
  /** The canonical text that was signed, with `hashes` and `signatures`, without `unsigned`. */
  json: string;
}

export interface Signer {
  readonly serverName: string;
  readonly key: SigningKey;
}

/** Client-server API, "Size limits": of the canonical text with signatures, in bytes. */
export const MAX_EVENT_BYTES = 65_536;
export const MAX_PREV_EVENTS = 20;
export const MAX_AUTH_EVENTS = 10;
/** Below what parseJson takes, so that an event wrapped in a transaction or a sync answer can still be read. */
export const MAX_EVENT_DEPTH = MAX_JSON_DEPTH - 10;

/** Of the random part of an event ID in room versions 1 and 2. */
const EVENT_ID_BYTES = 18;

const STRICT: CanonicalOptions = {};
const LENIENT: CanonicalOptions = { anyNumber: true };
const STRICT_FIELD: CanonicalOptions = { maxDepth: MAX_EVENT_DEPTH - 1 };
const LENIENT_FIELD: CanonicalOptions = { maxDepth: MAX_EVENT_DEPTH - 1, anyNumber: true };
const NOT_HASHED: ReadonlySet<string> = new Set(['hashes', 'signatures', 'unsigned']);

/** A new event's ID, made by its server: `event_id` of what `buildEvent` takes in room versions 1 and 2. */
export function newEventId(serverName: string): string {
  return `$${randomBytes(EVENT_ID_BYTES).toString('base64url')}:${serverName}`;
}

/** The event ID in a reference of any room version; empty for what is none. */
export function referencedId(reference: EventReference): string {
  const id: unknown = Array.isArray(reference) ? reference[0] : reference;
  return typeof id === 'string' ? id : '';
}

/**
 * Hashes, signs and names a new event (server-server API, "Signing Events"). Throws M_TOO_LARGE beyond 65,536 bytes or
 * 255 bytes of type, state key, sender or room ID, M_BAD_JSON for what no PDU of this version may hold.
 */
export function buildEvent(proto: ProtoEvent, version: RoomVersion, signer: Signer): BuiltEvent {
  checkProto(proto, version);
  const fields: JsonObject = {};
  const texts = new Map<string, string>();
  const options = version.strictCanonicalJson ? STRICT_FIELD : LENIENT_FIELD;
  for (const [key, value] of Object.entries(proto)) {
    if (NOT_HASHED.has(key)) continue;
    fields[key] = value;
    texts.set(key, canonicalJson(value, options));
  }
  const hashes = { sha256: sha256(joinFields(texts)).toString('base64').slice(0, 43) };
  texts.set('hashes', `{"sha256":"${hashes.sha256}"}`);

  const covered = coveredText(fields, texts, version);
  const signatures = { [signer.serverName]: { [signer.key.keyId]: signBytes(covered, signer.key) } };
  texts.set('signatures', canonicalJson(signatures));
  const json = joinFields(texts);
  if (Buffer.byteLength(json, 'utf8') > MAX_EVENT_BYTES)
    throw tooLarge('The event is larger than 65536 bytes');

  const eventId = proto.event_id ?? `$${encodeHash(sha256(covered), version)}`;
  const roomId = proto.room_id ?? `!${eventId.slice(1)}`;
  return { eventId, roomId, pdu: { ...(fields as unknown as ProtoEvent), hashes, signatures }, json };
}

/** The event ID: what the event says in room versions 1 and 2 (empty if it says nothing), later its reference hash. */
export function eventIdOf(pdu: Pdu, version: RoomVersion): string {
  if (version.eventIdFormat === 'in-event') return ownString(pdu, 'event_id') ?? '';
  return `$${referenceHash(pdu, version)}`;
}

/** Server-server API, "Calculating the content hash": SHA-256 in unpadded Base64. */
export function contentHash(pdu: Pdu | ProtoEvent, version: RoomVersion): string {
  const hashed = Object.fromEntries(Object.entries(pdu).filter(([key]) => !NOT_HASHED.has(key)));
  return encodeUnpaddedBase64(sha256(canonicalJson(hashed, numbersOf(version))));
}

/** Whether `hashes.sha256` is the content hash; when not, only the redacted copy may be used. */
export function checkContentHash(pdu: Pdu, version: RoomVersion): boolean {
  const claimed = ownString(own(pdu, 'hashes'), 'sha256');
  if (claimed === undefined) return false;
  try {
    return decodeUnpaddedBase64(claimed).equals(decodeUnpaddedBase64(contentHash(pdu, version)));
  } catch {
    return false;
  }
}

/**
 * Server-server API, "Calculating the reference hash", in the alphabet of the room version's event IDs; in versions 1 and
 * 2 in unpadded Base64, as it stands beside an ID in prev_events and auth_events.
 */
export function referenceHash(pdu: Pdu, version: RoomVersion): string {
  return encodeHash(sha256(signedText(redact(pdu, version), numbersOf(version))), version);
}

/** Whether the server signed the event with this key, under the given key ID or under any of its key IDs. */
export function verifyEvent(
  pdu: Pdu,
  version: RoomVersion,
  serverName: string,
  publicKey: string,
  keyId?: string,
): boolean {
  const ofServer = own(own(pdu, 'signatures'), serverName);
  const keyIds = keyId === undefined ? Object.keys(ofServer ?? {}) : [keyId];
  try {
    const text = signedText(redact(pdu, version), numbersOf(version));
    return keyIds.slice(0, 10).some((id) => {
      const signature = id.startsWith('ed25519:') ? ownString(ofServer, id) : undefined;
      return signature !== undefined && verifyBytes(text, signature, publicKey);
    });
  } catch {
    return false;
  }
}

/** The event with the signature of a server added to those that it has (an invite, a join that another server allows). */
export function signEvent(pdu: Pdu, version: RoomVersion, { serverName, key }: Signer): Pdu {
  const signature = signBytes(signedText(redact(pdu, version), numbersOf(version)), key);
  const ofServer = { ...pdu.signatures[serverName], [key.keyId]: signature };
  return { ...pdu, signatures: { ...pdu.signatures, [serverName]: ofServer } };
}

/** The redacted event's canonical text, from the texts of the fields where redaction leaves the content alone. */
function coveredText(fields: JsonObject, texts: ReadonlyMap<string, string>, version: RoomVersion): string {
  const redacted = redact(fields as unknown as Pdu, version);
  const kept = new Map([...texts].filter(([key]) => version.redaction.topLevel.has(key)));
  if (redacted.content !== fields['content']) {
    kept.set('content', canonicalJson(redacted.content, numbersOf(version)));
  }
  return joinFields(kept);
}

function joinFields(texts: ReadonlyMap<string, string>): string {
  const parts = sortKeys([...texts.keys()]).map((key) => `${canonicalJson(key)}:${texts.get(key) ?? ''}`);
  return `{${parts.join(',')}}`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

function encodeHash(hash: Buffer, { eventIdFormat }: RoomVersion): string {
  return eventIdFormat === 'url-safe-hash' ? encodeUrlSafeBase64(hash) : encodeUnpaddedBase64(hash);
}

function numbersOf(version: RoomVersion): CanonicalOptions {
  return version.strictCanonicalJson ? STRICT : LENIENT;
}

function checkProto(proto: ProtoEvent, version: RoomVersion): void {
  for (const [name, value] of Object.entries({
    type: proto.type,
    state_key: proto.state_key ?? '',
    sender: proto.sender,
    room_id: proto.room_id ?? '',
  })) {
    if (!fitsIdentifier(value)) throw tooLarge(`${name} is longer than 255 bytes`);
  }
  const isCreate = proto.type === 'm.room.create' && proto.state_key === '';
  if ((proto.room_id === undefined) !== (isCreate && version.roomIdIsCreateHash)) {
    throw badJson('Every event has a room_id, except the create event of room version 12');
  }
  if ((proto.event_id === undefined) !== (version.eventIdFormat !== 'in-event')) {
    throw badJson('Events of room versions 1 and 2 have an event_id, later ones have none');
  }
  if (proto.prev_events.length > MAX_PREV_EVENTS) throw badJson('Too many prev_events');
  if (proto.auth_events.length > MAX_AUTH_EVENTS) throw badJson('Too many auth_events');
}
