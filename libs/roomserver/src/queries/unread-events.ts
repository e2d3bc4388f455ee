import { sql } from 'kysely';

import type { RoomserverForSync, UnreadRoom } from '@seneschal/contracts';
import { parsePowerLevels, type Pdu, type PowerLevels, roomVersion, userPowerLevel } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import { notIgnored, type ReaderDeps, readerOf } from './ignoring.ts';

type Asked = Parameters<RoomserverForSync['unreadEvents']>[1][number];

/** More than clients show of a room: a user who comes back after a year costs no more than this. */
const mostOfRoom = 100;

interface Row {
  room_id: string;
  room_version: string;
  joined_members: number;
  levels: string | null;
  creation: string | null;
  position: number;
  rel_type: string | null;
  relates_to: string | null;
  json: string;
}

/**
 * The newest events by others after what the user has read and since the user joined, in rooms
 * that the user is joined to: outside of threads and in threads, a hundred of each. One query; rooms without any
 * are not in it.
 */
export async function unreadEvents(
  deps: ReaderDeps,
  userId: string,
  rooms: readonly Asked[],
  until: number,
): Promise<UnreadRoom[]> {
  if (rooms.length === 0) return [];
  const reader = await readerOf(deps, userId);
  const found = sql`SELECT e.position, e.rel_type, e.relates_to, e.json FROM roomserver_events e
    WHERE e.room_nid = r.room_nid AND e.position <= ${until} AND e.sender <> ${userId}
      AND ${notIgnored(reader)}`;
  const newest = sql`ORDER BY e.position DESC LIMIT ${mostOfRoom}`;
  const result = await sql<Row>`
    SELECT r.room_id, r.room_version, r.joined_members, unread.*,
      levels.json AS levels, creation.json AS creation
    FROM unnest(
      ${rooms.map((room) => room.roomId)}::text[], ${rooms.map((room) => room.main)}::bigint[],
      ${rooms.map((room) => room.threads)}::bigint[]
    ) AS q (room_id, main, threads)
    JOIN roomserver_rooms r USING (room_id)
    JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = ${userId} AND m.membership = 'join'
    CROSS JOIN LATERAL (
      (${found} AND e.position > greatest(q.main, coalesce(m.since, m.position)) AND e.rel_type IS DISTINCT FROM 'm.thread' ${newest})
      UNION ALL
      (${found} AND e.position > greatest(q.threads, coalesce(m.since, m.position)) AND e.rel_type = 'm.thread' ${newest})
    ) AS unread
    LEFT JOIN roomserver_current_state c ON c.room_nid = r.room_nid
      AND c.type = 'm.room.power_levels' AND c.state_key = ''
    LEFT JOIN roomserver_events levels ON levels.position = c.position
    LEFT JOIN roomserver_current_state b ON b.room_nid = r.room_nid
      AND b.type = 'm.room.create' AND b.state_key = ''
    LEFT JOIN roomserver_events creation ON creation.position = b.position
    WHERE r.last_position > least(q.main, q.threads)
  `.execute(deps.db);
  const byRoom = new Map<string, Row[]>();
  for (const row of result.rows) {
    const known = byRoom.get(row.room_id);
    if (known === undefined) byRoom.set(row.room_id, [row]);
    else known.push(row);
  }
  return [...byRoom.values()].map(roomOf);
}

function roomOf(rows: readonly Row[]): UnreadRoom {
  const [first] = rows as [Row, ...Row[]];
  const creation = parsePdu(first.creation);
  const powerLevels = levelsOf(first);
  const version = roomVersion(first.room_version);
  const levelOf = (sender: string): number =>
    creation === undefined ? 0 : userPowerLevel(sender, powerLevels, creation, version);
  const events = rows.flatMap(({ position, json, rel_type: relType, relates_to: relatesTo }) => {
    const pdu = parsePdu(json);
    if (pdu === undefined) return [];
    const threadId = relType === 'm.thread' ? (relatesTo ?? undefined) : undefined;
    return [{ position, threadId, senderLevel: levelOf(pdu.sender), event: eventOf(pdu, first.room_id) }];
  });
  return { roomId: first.room_id, joinedMembers: first.joined_members, powerLevels, events };
}

function eventOf(pdu: Pdu, roomId: string): UnreadRoom['events'][number]['event'] {
  const { type, sender, content, state_key: stateKey } = pdu;
  return {
    type,
    sender,
    content,
    room_id: roomId,
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  };
}

/** Undefined where there are none, or none that can be read. */
export function levelsOf({
  levels,
  room_version: name,
}: {
  levels: string | null;
  room_version: string;
}): PowerLevels | undefined {
  const content = parsePdu(levels)?.content;
  if (content === undefined) return undefined;
  try {
    return parsePowerLevels(content, roomVersion(name));
  } catch {
    return undefined;
  }
}
