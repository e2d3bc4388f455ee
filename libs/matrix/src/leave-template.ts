import {
  MAX_AUTH_EVENTS,
  MAX_PREV_EVENTS,
  newEventId,
  type EventReference,
  type ProtoEvent,
} from './events.ts';
import { forbidden, type MatrixError } from './errors.ts';
import { isUserId, serverNameOf } from './identifiers.ts';
import { isJsonObject, own, ownString, type JsonObject } from './json-types.ts';
import { roomVersion, type RoomVersion } from './room-versions.ts';

export interface ExpectedMembership {
  readonly roomId: string;
  readonly userId: string;
  readonly roomVersion: string;
  /** Milliseconds since 1970, by our own clock. */
  readonly origin_server_ts: number;
}

export type ExpectedLeave = ExpectedMembership;

/** What other servers are known to send along; none of it is used. */
const IGNORED = new Set(['origin', 'origin_server_ts', 'prev_state', 'hashes', 'signatures', 'unsigned']);
const USED = new Set([
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'depth',
  'prev_events',
  'auth_events',
]);
const EVENT_ID = {
  'in-event': /^\$[\x21-\x39\x3b-\x7e]+:[\x21-\x7e]+$/,
  hash: /^\$[A-Za-z0-9+/]{43}$/,
  'url-safe-hash': /^\$[A-Za-z0-9_-]{43}$/,
} as const;
const HASH = /^[A-Za-z0-9+/]{43}$/;

/**
 * The leave event to sign after another server's make_leave (server-server API, "Leaving Rooms"). `template` is the
 * `event` of the answer. It is never signed as it came (CVE-2026-24471): only prev_events, auth_events and depth are
 * taken from it, everything else is ours. Throws M_FORBIDDEN when it describes anything but the leave that was asked
 * for, M_UNSUPPORTED_ROOM_VERSION for a version we do not have.
 */
export function leaveFromTemplate(template: unknown, expected: ExpectedLeave): ProtoEvent {
  demandPlainLeave(own(template, 'content'));
  return membershipFromTemplate(template, expected, { membership: 'leave' });
}

/**
 * The join or knock event to sign after another server's make_join or make_knock, by the same rules. `content` is ours;
 * of the template's content only `join_authorised_via_users_server` is taken, where it names a user.
 */
export function entryFromTemplate(
  template: unknown,
  expected: ExpectedMembership,
  content: JsonObject & { membership: 'join' | 'knock' },
): ProtoEvent {
  const offered = own(template, 'content');
  if (own(offered, 'membership') !== content.membership) {
    throw refuse(`its membership is not ${content.membership}`);
  }
  const authoriser = ownString(offered, 'join_authorised_via_users_server');
  const isAuthorised = content.membership === 'join' && authoriser !== undefined && isUserId(authoriser);
  const authorised = isAuthorised ? { join_authorised_via_users_server: authoriser } : {};
  return membershipFromTemplate(template, expected, { ...content, ...authorised });
}

function membershipFromTemplate(
  template: unknown,
  expected: ExpectedMembership,
  content: JsonObject,
): ProtoEvent {
  const version = roomVersion(expected.roomVersion);
  const isNamed = version.eventIdFormat === 'in-event';
  if (!isJsonObject(template)) throw refuse('it is not an object');
  for (const key of Object.keys(template)) {
    if (!USED.has(key) && !IGNORED.has(key) && !(isNamed && key === 'event_id'))
      throw refuse('it has keys that a membership event does not have');
  }
  demand(template, 'type', 'm.room.member');
  demand(template, 'room_id', expected.roomId);
  demand(template, 'sender', expected.userId);
  demand(template, 'state_key', expected.userId);
  return {
    ...(isNamed ? { event_id: newEventId(serverNameOf(expected.userId) ?? '') } : {}),
    type: 'm.room.member',
    room_id: expected.roomId,
    sender: expected.userId,
    state_key: expected.userId,
    content,
    origin_server_ts: expected.origin_server_ts,
    prev_events: references(template, 'prev_events', MAX_PREV_EVENTS, version),
    auth_events: references(template, 'auth_events', MAX_AUTH_EVENTS, version),
    depth: depthOf(template),
  };
}

function demand(template: JsonObject, key: string, value: string): void {
  if (own(template, key) !== value) throw refuse(`its ${key} is not what was asked for`);
}

function demandPlainLeave(content: unknown): void {
  if (own(content, 'membership') !== 'leave') throw refuse('its membership is not leave');
  if (Object.keys(content as object).length !== 1) throw refuse('its content has more than a membership');
}

function references(
  template: JsonObject,
  key: string,
  limit: number,
  { eventReferences, eventIdFormat }: RoomVersion,
): EventReference[] {
  const listed = own(template, key);
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > limit) {
    throw refuse(`its ${key} is not a list of 1 to ${limit} events`);
  }
  return listed.map((one) => {
    const [id, hashes] = eventReferences === 'ids' ? [one] : Array.isArray(one) ? one : [];
    if (typeof id !== 'string' || id.length > 255 || !EVENT_ID[eventIdFormat].test(id)) {
      throw refuse(`its ${key} holds what is no event ID`);
    }
    if (eventReferences === 'ids') return id;
    const hash = ownString(hashes, 'sha256');
    // Synapse leaves it out in rooms that it has just made, and Dendrite leaves it empty; nobody looks at it.
    return [id, hash !== undefined && HASH.test(hash) ? { sha256: hash } : {}];
  });
}

function depthOf(template: JsonObject): number {
  const depth = own(template, 'depth');
  if (typeof depth !== 'number' || !Number.isSafeInteger(depth) || depth < 1) {
    throw refuse('its depth is not a positive integer');
  }
  return depth;
}

function refuse(reason: string): MatrixError {
  return forbidden(`The other server's template is refused: ${reason}`);
}
