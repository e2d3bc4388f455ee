import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';
import { type JsonObject, toStrippedState } from '@seneschal/matrix';

import type { InvitePermissionDeps } from '../room/invite-permission.ts';
import { eventsAt } from './event-rows.ts';
import { type ReaderDeps, readerOfInvites } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';

/** Client-server API, "Stripped state": what one may know before joining. */
export const shownState = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
];

/**
 * Stripped state of the rooms, with the membership events of the user and of the inviter. Rooms that the
 * user is not (any more) invited to or knocking at are not in the answer, and invites by ignored users neither,
 * nor any while the user wants none.
 */
export async function strippedState(
  deps: ReaderDeps & InvitePermissionDeps,
  userId: string,
  roomIds: readonly string[],
): Promise<Map<string, JsonObject[]>> {
  if (roomIds.length === 0) return new Map();
  const { isShown } = await readerOfInvites(deps, userId);
  const result = await sql<{ position: number }>`
    WITH pending AS (
      SELECT m.room_nid, m.position, e.sender
      FROM roomserver_rooms r JOIN roomserver_memberships m USING (room_nid) JOIN roomserver_events e USING (position)
      WHERE r.room_id = ANY(${roomIds}::text[]) AND m.user_id = ${userId}
        AND m.membership = ANY('{invite,knock}'::text[])
        AND (m.membership <> 'invite' OR ${isShown})
    )
    SELECT position FROM pending
    UNION SELECT m.position FROM pending p JOIN roomserver_memberships m
      ON m.room_nid = p.room_nid AND m.user_id = p.sender
    UNION SELECT c.position FROM pending p JOIN roomserver_current_state c
      ON c.room_nid = p.room_nid AND c.type = ANY(${shownState}::text[]) AND c.state_key = ''
  `.execute(deps.db);
  const events = await eventsAt(
    deps,
    result.rows.map((row) => row.position),
  );
  const rooms = byRoom(events);
  for (const [roomId, told] of await toldState(deps, userId, roomIds)) {
    const known = rooms.get(roomId);
    if (known !== undefined) rooms.set(roomId, [...told, ...known]);
  }
  return rooms;
}

/** What other servers told of rooms when they invited the user to them. */
async function toldState(
  deps: QueryDeps,
  userId: string,
  roomIds: readonly string[],
): Promise<[string, JsonObject[]][]> {
  const result = await sql<{ room_id: string; events: JsonObject[] }>`
    SELECT r.room_id, i.events FROM roomserver_invite_states i JOIN roomserver_rooms r USING (room_nid)
    WHERE r.room_id = ANY(${roomIds}::text[]) AND i.user_id = ${userId} AND NOT EXISTS (
      SELECT FROM roomserver_current_state s WHERE s.room_nid = r.room_nid
    )
  `.execute(deps.db);
  return result.rows.map((row) => [row.room_id, row.events]);
}

function byRoom(events: readonly StoredEvent[]): Map<string, JsonObject[]> {
  const rooms = new Map<string, JsonObject[]>();
  for (const { roomId, pdu } of events) {
    const state = rooms.get(roomId) ?? [];
    state.push(toStrippedState(pdu));
    rooms.set(roomId, state);
  }
  return rooms;
}
