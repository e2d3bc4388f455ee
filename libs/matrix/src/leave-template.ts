import { MAX_AUTH_EVENTS, MAX_PREV_EVENTS, type ProtoEvent } from './events.ts';
import { forbidden, type MatrixError } from './errors.ts';
import { isJsonObject, own, type JsonObject } from './json-types.ts';
import { roomVersion } from './room-versions.ts';

export interface ExpectedLeave {
  readonly roomId: string;
  readonly userId: string;
  readonly roomVersion: string;
  /** Milliseconds since 1970, by our own clock. */
  readonly origin_server_ts: number;
}

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
const EVENT_HASH = /^\$[A-Za-z0-9_-]{43}$/;

/**
 * The leave event to sign after another server's make_leave (server-server API, "Leaving Rooms"). `template` is the
 * `event` of the answer. It is never signed as it came (CVE-2026-24471): only prev_events, auth_events and depth are
 * taken from it, everything else is ours. Throws M_FORBIDDEN when it describes anything but the leave that was asked
 * for, M_UNSUPPORTED_ROOM_VERSION for a version we do not have.
 */
export function leaveFromTemplate(template: unknown, expected: ExpectedLeave): ProtoEvent {
  roomVersion(expected.roomVersion);
  if (!isJsonObject(template)) throw refuse('it is not an object');
  for (const key of Object.keys(template)) {
    if (!USED.has(key) && !IGNORED.has(key)) throw refuse('it has keys that a leave event does not have');
  }
  demand(template, 'type', 'm.room.member');
  demand(template, 'room_id', expected.roomId);
  demand(template, 'sender', expected.userId);
  demand(template, 'state_key', expected.userId);
  demandPlainLeave(own(template, 'content'));
  return {
    type: 'm.room.member',
    room_id: expected.roomId,
    sender: expected.userId,
    state_key: expected.userId,
    content: { membership: 'leave' },
    origin_server_ts: expected.origin_server_ts,
    prev_events: eventIds(template, 'prev_events', MAX_PREV_EVENTS),
    auth_events: eventIds(template, 'auth_events', MAX_AUTH_EVENTS),
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

function eventIds(template: JsonObject, key: string, limit: number): string[] {
  const ids = own(template, key);
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > limit) {
    throw refuse(`its ${key} is not a list of 1 to ${limit} events`);
  }
  return ids.map((id) => {
    if (typeof id !== 'string' || !EVENT_HASH.test(id)) throw refuse(`its ${key} holds what is no event ID`);
    return id;
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
  return forbidden(`The other server's leave template is refused: ${reason}`);
}
