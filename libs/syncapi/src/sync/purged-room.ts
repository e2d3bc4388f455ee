import { createHash } from 'node:crypto';

import type { MemberState } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { tokenOf } from '../tokens.ts';

/**
 * A room that was purged, as one of `rooms.leave`. Clients take a room off the list by the user's own membership
 * event, so there is one, made up here: nothing is left of the room that it could be read from.
 */
export function purgedRoom(room: MemberState, purgedTs: number, stateAfter = false): JsonObject {
  const leave = madeUpLeave(room, purgedTs);
  return {
    timeline: { events: [leave], limited: false, prev_batch: tokenOf(room.position) },
    ...(stateAfter ? { state_after: { events: [leave] } } : { state: { events: [] } }),
    account_data: { events: [] },
  };
}

/** The same place in the stream makes the same event. `ts` in ms. */
export function madeUpLeave(
  { roomId, userId, position }: Pick<MemberState, 'roomId' | 'userId' | 'position'>,
  ts: number,
): JsonObject {
  const eventId = createHash('sha256').update([roomId, userId, position].join('\0')).digest('base64url');
  return {
    type: 'm.room.member',
    event_id: `$${eventId}`,
    sender: userId,
    state_key: userId,
    content: { membership: 'leave' },
    origin_server_ts: ts,
    unsigned: {},
  };
}
