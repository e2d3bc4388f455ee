import { sql } from 'kysely';

import type { RoomSyncRequest, StoredEvent } from '@seneschal/contracts';

import { filterCondition, passesContentFilter } from './event-filter.ts';
import { type EventRow, eventColumns, eventJoins, readEvents } from './event-rows.ts';
import { notIgnored, type Reader } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';

/** A request with what the database knows of its room and of the user there. */
export interface LocatedRoom {
  request: RoomSyncRequest;
  roomNid: number;
  membership: string | null;
  /** Position of the user's last membership event. */
  memberSince: number | null;
  joinedMembers: number;
  invitedMembers: number;
}

export interface Timeline {
  events: StoredEvent[];
  /** Whether there are older events than these that are new to the client. */
  isCut: boolean;
}

interface LocatedRow {
  room_nid: number;
  room_id: string;
  membership: string | null;
  position: number | null;
  joined_members: number;
  invited_members: number;
}

/** Rooms that are not (any more) there are left out. */
export async function locateRooms(
  deps: QueryDeps,
  userId: string,
  requests: readonly RoomSyncRequest[],
): Promise<LocatedRoom[]> {
  const result = await sql<LocatedRow>`
    SELECT r.room_nid, r.room_id, r.joined_members, r.invited_members, m.membership, m.position
    FROM roomserver_rooms r
    LEFT JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = ${userId}
    WHERE r.room_id = ANY(${requests.map((request) => request.roomId)}::text[])
  `.execute(deps.db);
  const rows = new Map(result.rows.map((row) => [row.room_id, row]));
  return requests.flatMap((request): LocatedRoom[] => {
    const row = rows.get(request.roomId);
    if (row === undefined) return [];
    return [
      {
        request,
        roomNid: row.room_nid,
        membership: row.membership,
        memberSince: row.position,
        joinedMembers: row.joined_members,
        invitedMembers: row.invited_members,
      },
    ];
  });
}

/** The last events of each room, oldest first, in one query for rooms of the same filter. */
export async function readTimelines(
  deps: QueryDeps,
  reader: Reader,
  rooms: readonly LocatedRoom[],
): Promise<Map<number, Timeline>> {
  const filter = rooms[0]?.request.timelineFilter;
  const result = await sql<EventRow>`
    SELECT ${eventColumns} FROM unnest(
      ${rooms.map((room) => room.roomNid)}::bigint[], ${rooms.map(({ request }) => request.since ?? 0)}::bigint[],
      ${rooms.map(({ request }) => request.until)}::bigint[],
      ${rooms.map(({ request }) => request.timelineLimit + 1)}::bigint[]
    ) AS q (room_nid, since, until, row_limit)
    CROSS JOIN LATERAL (
      SELECT * FROM roomserver_events e
      WHERE e.room_nid = q.room_nid AND e.position > q.since AND e.position <= q.until AND NOT e.is_outlier
        AND ${filterCondition(filter)} AND ${notIgnored(reader)}
      ORDER BY e.position DESC LIMIT q.row_limit
    ) AS e ${eventJoins} ORDER BY e.position DESC
  `.execute(deps.db);
  const byRoom = new Map<number, EventRow[]>();
  for (const row of result.rows) {
    const known = byRoom.get(row.room_nid);
    if (known === undefined) byRoom.set(row.room_nid, [row]);
    else known.push(row);
  }
  return new Map(
    rooms.map(({ roomNid, request }) => {
      const rows = byRoom.get(roomNid) ?? [];
      const events = readEvents(deps, rows.slice(0, request.timelineLimit).reverse());
      return [
        roomNid,
        {
          events: events.filter(({ pdu }) => passesContentFilter(pdu, filter)),
          isCut: rows.length > request.timelineLimit,
        },
      ];
    }),
  );
}
