import { type Kysely, sql, type Transaction } from 'kysely';

import { isJsonObject, parseJson, type Pdu } from '@seneschal/matrix';

import type { RoomEvent } from '../room/room-event.ts';
import { stateKeyOf } from '../room/room-draft.ts';
import type { RoomserverTables } from './tables.ts';

/** Makes the row of a new room, for `storeDraft` to fill; undefined when the room ID is taken. */
export async function insertRoom(
  transaction: Transaction<RoomserverTables>,
  room: { roomId: string; roomVersion: string; isListed: boolean; createdTs: number },
): Promise<number | undefined> {
  const row = await transaction
    .insertInto('roomserver_rooms')
    .values({
      room_id: room.roomId,
      room_version: room.roomVersion,
      forward_extremities: [],
      depth: 0,
      last_position: 0,
      state_position: 0,
      joined_members: 0,
      invited_members: 0,
      is_listed: room.isListed,
      created_ts: room.createdTs,
    })
    .onConflict((conflict) => conflict.column('room_id').doNothing())
    .returning('room_nid')
    .executeTakeFirst();
  return row?.room_nid;
}

export async function roomNidOf(db: Kysely<RoomserverTables>, roomId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('roomserver_rooms')
    .select('room_nid')
    .where('room_id', '=', roomId)
    .executeTakeFirst();
  return row?.room_nid;
}

/** Undefined when there is no such room. */
export async function versionOfRoom(
  db: Kysely<RoomserverTables>,
  roomId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('roomserver_rooms')
    .select('room_version')
    .where('room_id', '=', roomId)
    .executeTakeFirst();
  return row?.room_version;
}

/** Lists one room in the directory in another's place, if that is listed. */
export async function moveListing(
  transaction: Transaction<RoomserverTables>,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await sql`
    WITH listed AS (
      UPDATE roomserver_rooms SET is_listed = false WHERE room_nid = ${from} AND is_listed RETURNING room_nid
    )
    UPDATE roomserver_rooms SET is_listed = true FROM listed WHERE roomserver_rooms.room_nid = ${to}
  `.execute(transaction);
}

/** The current state of a room, memberships apart. Rows that cannot be read are left out. */
export async function readState(
  db: Kysely<RoomserverTables>,
  roomNid: number,
): Promise<Map<string, RoomEvent>> {
  const rows = await db
    .selectFrom('roomserver_current_state as s')
    .innerJoin('roomserver_events as e', 'e.position', 's.position')
    .select(['s.type', 's.state_key', 'e.position', 'e.event_id', 'e.json'])
    .where('s.room_nid', '=', roomNid)
    .execute();
  const state = new Map<string, RoomEvent>();
  for (const row of rows) {
    const pdu = parsePdu(row.json);
    if (pdu === undefined) continue;
    state.set(stateKeyOf(row.type, row.state_key), { eventId: row.event_id, pdu, position: row.position });
  }
  return state;
}

/** Events of a room by ID. Rows that cannot be read are left out. */
export async function readEvents(
  db: Kysely<RoomserverTables>,
  roomNid: number,
  eventIds: readonly string[],
): Promise<Map<string, Pdu>> {
  const rows = await db
    .selectFrom('roomserver_events')
    .select(['event_id', 'json'])
    .where('room_nid', '=', roomNid)
    .where('event_id', '=', sql<string>`ANY(${[...eventIds]}::text[])`)
    .execute();
  const events = new Map<string, Pdu>();
  for (const row of rows) {
    const pdu = parsePdu(row.json);
    if (pdu !== undefined) events.set(row.event_id, pdu);
  }
  return events;
}

/** Reads a stored event; undefined when the text is damaged. */
export function parsePdu(json: string | null): Pdu | undefined {
  if (json === null) return undefined;
  try {
    const value = parseJson(json);
    return isJsonObject(value) && isJsonObject(value['content']) ? (value as unknown as Pdu) : undefined;
  } catch {
    return undefined;
  }
}

export async function blockRoom(
  db: Kysely<RoomserverTables>,
  block: { roomId: string; blockedBy: string },
): Promise<void> {
  await db
    .insertInto('roomserver_blocked_rooms')
    .values({ room_id: block.roomId, blocked_by: block.blockedBy, created_ts: Date.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
