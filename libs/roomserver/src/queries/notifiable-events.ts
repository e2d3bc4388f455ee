import { sql } from 'kysely';

import type { NotifiableEvent, RoomserverForSync } from '@seneschal/contracts';
import { roomVersion, userPowerLevel } from '@seneschal/matrix';

import type { InvitePermissionDeps } from '../room/invite-permission.ts';
import { dress } from './dress.ts';
import { eventsAt, parsePdu } from './event-rows.ts';
import { notIgnored, type ReaderDeps, readerOfInvites } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { levelsOf } from './unread-events.ts';

type Page = Parameters<RoomserverForSync['notifiableEvents']>[1];

interface Place {
  position: number;
  room_id: string;
  room_nid: number;
  thread_id: string | null;
}

interface Room {
  room_nid: number;
  room_version: string;
  joined_members: number;
  levels: string | null;
  creation: string | null;
}

/**
 * The newest events by others before a position, since the user joined their rooms, and the invites that the user has not
 * answered, the newest first: what the user's push rules may notify of. Of each room no more is read than fits into the page.
 */
export async function notifiableEvents(
  deps: ReaderDeps & InvitePermissionDeps,
  userId: string,
  { deviceId, before, limit }: Page,
): Promise<NotifiableEvent[]> {
  const { reader, isShown } = await readerOfInvites(deps, userId);
  const found = await sql<Place>`
    (SELECT found.*, r.room_id, r.room_nid
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid) CROSS JOIN LATERAL (
      SELECT e.position, CASE WHEN e.rel_type = 'm.thread' THEN e.relates_to END AS thread_id
      FROM roomserver_events e
      WHERE e.room_nid = m.room_nid AND e.position < ${before} AND e.position > coalesce(m.since, m.position)
        AND e.sender <> ${userId} AND NOT e.is_outlier AND e.redacted_by IS NULL AND ${notIgnored(reader)}
      ORDER BY e.position DESC LIMIT ${limit}
    ) AS found
    WHERE m.user_id = ${userId} AND m.membership = 'join' ORDER BY found.position DESC LIMIT ${limit})
    UNION ALL (SELECT m.position, NULL, r.room_id, r.room_nid
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
      JOIN roomserver_events e ON e.position = m.position
    WHERE m.user_id = ${userId} AND m.membership = 'invite' AND m.position < ${before}
      AND ${isShown}
    ORDER BY m.position DESC LIMIT ${limit})
    ORDER BY position DESC LIMIT ${limit}
  `.execute(deps.db);
  const places = new Map(found.rows.map((place) => [place.position, place]));
  const events = await eventsAt(deps, [...places.keys()]);
  await dress(deps, reader, deviceId, events);
  const rooms = await readRooms(deps, [...new Set(found.rows.map((place) => place.room_nid))]);
  return events.reverse().flatMap((event): NotifiableEvent[] => {
    const place = places.get(event.position);
    const room = place && rooms.get(place.room_nid);
    if (room === undefined) return [];
    const creation = parsePdu(room.creation);
    const powerLevels = levelsOf(room);
    const version = roomVersion(room.room_version);
    return [
      {
        event,
        threadId: place?.thread_id ?? undefined,
        joinedMembers: room.joined_members,
        powerLevels,
        senderLevel:
          creation === undefined ? 0 : userPowerLevel(event.pdu.sender, powerLevels, creation, version),
      },
    ];
  });
}

async function readRooms(deps: QueryDeps, roomNids: readonly number[]): Promise<Map<number, Room>> {
  const stateOf = (type: string) => sql`(
    SELECT e.json FROM roomserver_current_state c JOIN roomserver_events e USING (position)
    WHERE c.room_nid = r.room_nid AND c.type = ${type} AND c.state_key = ''
  )`;
  const found = await sql<Room>`
    SELECT r.room_nid, r.room_version, r.joined_members, ${stateOf('m.room.power_levels')} AS levels,
      ${stateOf('m.room.create')} AS creation
    FROM roomserver_rooms r WHERE r.room_nid = ANY(${[...roomNids]}::bigint[])
  `.execute(deps.db);
  return new Map(found.rows.map((row) => [row.room_nid, row]));
}
