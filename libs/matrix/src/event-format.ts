import { Buffer } from 'node:buffer';
import { badJson, tooLarge } from './errors.ts';
import { MAX_AUTH_EVENTS, MAX_EVENT_BYTES, MAX_EVENT_DEPTH, MAX_PREV_EVENTS, type Pdu } from './events.ts';
import { fitsIdentifier, isEventId, isUserId } from './identifiers.ts';
import { isJsonObject, own, ownString, type JsonObject } from './json-types.ts';
import { canonicalJson } from './json.ts';
import type { RoomVersion } from './room-versions.ts';

/** 2^63, above the largest depth of versions 1 to 5: no double lies between. */
const DEPTH_END = 2 ** 63;

/**
 * Reads an event from elsewhere as one of the room version ("Event format", "Size limits"): the first of the checks on
 * receipt of a PDU. Throws M_BAD_JSON, M_TOO_LARGE for what is too long. Signatures, hashes and authorisation come after.
 */
export function readEvent(value: unknown, version: RoomVersion): Pdu {
  const event = demandObject(value, 'The event');
  const numbers = { anyNumber: !version.strictCanonicalJson };
  const text = canonicalJson(event, { ...numbers, maxDepth: MAX_EVENT_DEPTH });
  if (Buffer.byteLength(text, 'utf8') > MAX_EVENT_BYTES) {
    throw tooLarge(`The event is larger than ${MAX_EVENT_BYTES} bytes`);
  }
  checkNames(event, version);
  for (const key of ['content', 'hashes', 'signatures']) demandObject(own(event, key), key);
  if (own(event, 'unsigned') !== undefined) demandObject(own(event, 'unsigned'), 'unsigned');
  demandInteger(event, 'origin_server_ts', -DEPTH_END);
  demandInteger(event, 'depth', 0);
  checkReferences(event, 'prev_events', MAX_PREV_EVENTS, version);
  checkReferences(event, 'auth_events', MAX_AUTH_EVENTS, version);
  return event as unknown as Pdu;
}

function checkNames(event: JsonObject, version: RoomVersion): void {
  const isCreate = ownString(event, 'type') === 'm.room.create' && own(event, 'state_key') === '';
  const isRoomless = isCreate && version.roomIdIsCreateHash;
  const needed = ['type', 'sender', ...(isRoomless ? [] : ['room_id'])];
  if (version.eventIdFormat === 'in-event') needed.push('event_id');
  for (const key of [...needed, 'state_key', 'redacts']) {
    const name = own(event, key);
    if (name === undefined && !needed.includes(key)) continue;
    if (typeof name !== 'string') throw badJson(`${key} is not a string`);
    if (!fitsIdentifier(name)) throw tooLarge(`${key} is longer than 255 bytes`);
  }
  if (!isUserId(ownString(event, 'sender') ?? '')) throw badJson('sender is not a user ID');
  if (version.eventIdFormat !== 'in-event') return;
  if (!isEventId(ownString(event, 'event_id') ?? '')) throw badJson('event_id is not an event ID');
}

function checkReferences(event: JsonObject, key: string, limit: number, version: RoomVersion): void {
  const listed = own(event, key);
  if (!Array.isArray(listed)) throw badJson(`${key} is not a list`);
  if (listed.length > limit) throw badJson(`${key} lists more than ${limit} events`);
  for (const one of listed) {
    const isPair = Array.isArray(one) && one.length === 2 && isJsonObject(one[1]);
    const id = version.eventReferences === 'ids' ? one : isPair ? one[0] : undefined;
    if (typeof id !== 'string' || !isEventId(id)) throw badJson(`${key} holds what names no event`);
  }
}

function demandInteger(event: JsonObject, key: string, least: number): void {
  const value = own(event, key);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value >= DEPTH_END) {
    throw badJson(`${key} is not an integer in range`);
  }
}

function demandObject(value: unknown, name: string): JsonObject {
  if (!isJsonObject(value)) throw badJson(`${name} is not an object`);
  return value;
}
