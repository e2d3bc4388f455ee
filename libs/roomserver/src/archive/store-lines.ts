import { type Kysely, sql, type Transaction } from 'kysely';

import { roomserver, type RoomserverFact } from '@seneschal/contracts';
import { allotPositions, insertFacts } from '@seneschal/database';
import { badJson, MatrixError, type Pdu, serverNameOf } from '@seneschal/matrix';

import { isOpenToAll } from '../room/publicness.ts';
import { stateKeyOf } from '../room/room-draft.ts';
import { deleteEvents } from '../storage/room-rows.ts';
import { readState } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import type { LineOf } from './lines.ts';

type Trx = Transaction<RoomserverTables>;

/**
 * Makes the row of a room that is being restored. It is closed, and nobody is in it, so that nothing of it shows
 * before all of it is there. Throws 409 M_ROOM_IN_USE when the room exists or its deletion is under way.
 */
export async function openImport(trx: Trx, line: LineOf<'room'>): Promise<number> {
  const result = await sql<{ room_nid: number }>`
    INSERT INTO roomserver_rooms (room_id, room_version, forward_extremities, depth, last_position, state_position,
      joined_members, invited_members, created_ts, is_closed)
    SELECT ${line.room_id}::text, ${line.room_version}::text, ${line.forward_extremities}::text[],
      ${line.depth}::bigint, 0, 0, 0, 0, ${line.created_ts}::bigint, true
    WHERE NOT EXISTS (
      SELECT FROM roomserver_deletions WHERE room_id = ${line.room_id} AND finished_ts IS NULL
    )
    ON CONFLICT (room_id) DO NOTHING RETURNING room_nid
  `.execute(trx);
  const roomNid = result.rows[0]?.room_nid;
  if (roomNid !== undefined) return roomNid;
  throw roomInUse();
}

export function roomInUse(): MatrixError {
  return new MatrixError(409, 'M_ROOM_IN_USE', 'The room exists, or is being deleted or restored.');
}

export interface ArchivedEvent {
  line: LineOf<'event'>;
  pdu: Pdu;
}

/** Stores events behind everything else in the stream, in their order. Throws M_BAD_JSON for one that exists. */
export async function storeEvents(
  trx: Trx,
  roomNid: number,
  events: readonly ArchivedEvent[],
): Promise<void> {
  const column = <T>(of: (event: ArchivedEvent) => T): T[] => events.map(of);
  const result = await sql`
    WITH numbered AS MATERIALIZED (
      SELECT n, nextval('roomserver_output_position') AS position FROM generate_series(1, ${events.length}::int) AS n
    ), new AS MATERIALIZED (
      SELECT numbered.position, given.* FROM numbered JOIN unnest(
        ${column(({ line }) => line.event_id)}::text[], ${column(({ pdu }) => pdu.type)}::text[],
        ${column(({ pdu }) => pdu.state_key ?? null)}::text[], ${column(({ pdu }) => pdu.sender)}::text[],
        ${column(({ line }) => line.json)}::text[], ${column(({ line }) => line.replaces ?? null)}::text[]
      ) WITH ORDINALITY AS given (event_id, type, state_key, sender, json, replaces, n) USING (n)
    )
    INSERT INTO roomserver_events (position, room_nid, event_id, type, state_key, sender, json, replaces)
    SELECT new.position, ${roomNid}::bigint, new.event_id, new.type, new.state_key, new.sender, new.json,
      coalesce(same.position, (
        SELECT e.position FROM roomserver_events e
        WHERE e.event_id = new.replaces AND e.room_nid = ${roomNid}::bigint
      ))
    FROM new LEFT JOIN new AS same ON same.event_id = new.replaces
    ORDER BY new.position
    ON CONFLICT DO NOTHING
  `.execute(trx);
  if (Number(result.numAffectedRows ?? 0n) !== events.length) {
    throw badJson('The export has an event that this server has already, or has one twice.');
  }
}

/** Says which redaction took the content of an event away: it may stand long after it. */
export async function storeRedactions(
  trx: Trx,
  roomNid: number,
  lines: readonly LineOf<'event'>[],
): Promise<void> {
  await sql`
    UPDATE roomserver_events e SET redacted_by = redaction.position
    FROM unnest(${lines.map((line) => line.event_id)}::text[], ${lines.map((line) => line.redacted_by ?? '')}::text[])
      AS given (event_id, redacted_by)
    JOIN roomserver_events redaction ON redaction.event_id = given.redacted_by AND redaction.room_nid = ${roomNid}
    WHERE e.event_id = given.event_id AND e.room_nid = ${roomNid}
  `.execute(trx);
}

/** Makes events the current state. Those that were damaged are not there and are left out. */
export async function storeState(
  trx: Trx,
  roomNid: number,
  lines: readonly LineOf<'state'>[],
): Promise<void> {
  await sql`
    INSERT INTO roomserver_current_state (room_nid, type, state_key, position)
    SELECT ${roomNid}::bigint, e.type, e.state_key, e.position
    FROM unnest(${lines.map((line) => line.event_id)}::text[], ${lines.map((line) => line.type)}::text[],
      ${lines.map((line) => line.state_key)}::text[]) AS given (event_id, type, state_key)
    JOIN roomserver_events e ON e.event_id = given.event_id AND e.room_nid = ${roomNid}
      AND e.type = given.type AND e.state_key = given.state_key
    WHERE e.type <> 'm.room.member'
    ON CONFLICT DO NOTHING
  `.execute(trx);
}

/** What each user is, as the membership event of the user says it. */
export async function storeMemberships(
  trx: Trx,
  roomNid: number,
  lines: readonly LineOf<'membership'>[],
  serverName: string,
): Promise<void> {
  await sql`
    INSERT INTO roomserver_memberships (room_nid, user_id, membership, position, is_local, is_forgotten)
    SELECT ${roomNid}::bigint, given.user_id, given.membership, e.position, given.is_local, given.is_forgotten
    FROM unnest(
      ${lines.map((line) => line.user_id)}::text[], ${lines.map((line) => line.membership)}::text[],
      ${lines.map((line) => line.event_id)}::text[], ${lines.map((line) => line.is_forgotten)}::boolean[],
      ${lines.map((line) => serverNameOf(line.user_id) === serverName)}::boolean[]
    ) AS given (user_id, membership, event_id, is_forgotten, is_local)
    JOIN roomserver_events e ON e.event_id = given.event_id AND e.room_nid = ${roomNid}
      AND e.type = 'm.room.member' AND e.state_key = given.user_id
    WHERE e.json::json->'content'->>'membership' = given.membership
    ON CONFLICT DO NOTHING
  `.execute(trx);
}

/** Gives a room its aliases back, but those that other rooms have taken meanwhile. */
export async function storeAliases(
  db: Kysely<RoomserverTables>,
  roomNid: number,
  lines: readonly LineOf<'alias'>[],
): Promise<void> {
  await sql`
    INSERT INTO roomserver_aliases (alias, room_nid, creator, created_ts)
    SELECT alias, ${roomNid}::bigint, creator, created_ts
    FROM unnest(${lines.map((line) => line.alias)}::text[], ${lines.map((line) => line.creator)}::text[],
      ${lines.map((line) => line.created_ts)}::bigint[]) AS given (alias, creator, created_ts)
    ON CONFLICT DO NOTHING
  `.execute(db);
}

/** Opens the room: with the commit all of it is there. Answers the position of the fact. */
export async function finishImport(trx: Trx, roomNid: number, line: LineOf<'room'>): Promise<number> {
  const { table } = roomserver.roomserverOutput;
  const [position = 0] = await allotPositions(trx, table, 1);
  const fact: RoomserverFact = { kind: 'room_imported', roomId: line.room_id };
  await insertFacts(trx, table, [position], [fact]);
  const state = await readState(trx, roomNid);
  const isPublic = isOpenToAll((type) => state.get(stateKeyOf(type, ''))?.pdu.content);
  await sql`
    UPDATE roomserver_rooms SET is_closed = false, is_listed = ${line.is_listed}, imported_position = ${position},
      may_hide_history = true, is_public = ${isPublic},
      last_position = ${position}, state_position = ${position},
      joined_members = (
        SELECT count(*) FROM roomserver_memberships WHERE room_nid = ${roomNid} AND membership = 'join'
      ),
      invited_members = (
        SELECT count(*) FROM roomserver_memberships WHERE room_nid = ${roomNid} AND membership = 'invite'
      )
    WHERE room_nid = ${roomNid}
  `.execute(trx);
  await sql`
    INSERT INTO roomserver_room_servers (room_nid, server_name, joined_members)
    SELECT room_nid, regexp_replace(user_id, '^[^:]*:', ''), count(*) FROM roomserver_memberships
    WHERE room_nid = ${roomNid} AND membership = 'join' AND NOT is_local GROUP BY 1, 2
  `.execute(trx);
  return position;
}

/**
 * Removes what an import has stored that did not come to its end; page by page, as it may be much. The room was
 * closed and nobody was in it, so there is nobody to tell.
 */
export async function abandonImport(db: Kysely<RoomserverTables>, roomNid: number): Promise<void> {
  const closed = await db
    .selectFrom('roomserver_rooms')
    .select('room_id')
    .where('room_nid', '=', roomNid)
    .where('is_closed', '=', true)
    .executeTakeFirst();
  if (closed === undefined) return;
  const room = { roomNid, roomId: closed.room_id };
  for (let after: number | undefined = 0; after !== undefined;) {
    after = (await deleteEvents(db, room, { after, limit: 5000, digest: '' })).next;
  }
  await db.deleteFrom('roomserver_rooms').where('room_nid', '=', roomNid).execute();
}

/** Rooms that are closed, but by no deletion: those of imports, under way or given up. */
export async function closedByImports(db: Kysely<RoomserverTables>): Promise<number[]> {
  const result = await sql<{ room_nid: number }>`
    SELECT r.room_nid FROM roomserver_rooms r LEFT JOIN roomserver_deletions d USING (room_nid)
    WHERE r.is_closed AND d.room_nid IS NULL
  `.execute(db);
  return result.rows.map((row) => row.room_nid);
}
