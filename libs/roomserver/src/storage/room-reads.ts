import { type Kysely, sql } from 'kysely';

import type { Membership } from '@seneschal/contracts';

import type { Member, RoomEvent } from '../room/room-event.ts';
import { parsePdu } from './rooms.ts';
import type { RoomserverTables } from './tables.ts';

export interface TransactionKey {
  userId: string;
  deviceId: string;
  transactionId: string;
}

/** What the operations on a locked room ask for. */
export interface RoomReads {
  roomId: string;
  users: readonly string[];
  eventIds: readonly string[];
  transactions: readonly TransactionKey[];
}

/** A room's row. Its `last_position` tells at the time of writing whether anything came in between. */
export interface RoomRow {
  room_nid: number;
  room_id: string;
  room_version: string;
  forward_extremities: string[];
  depth: number;
  last_position: number;
  state_position: number;
  is_blocked: boolean;
  is_closed: boolean;
}

export interface RoomReadResults {
  /** Undefined when there is no such room. */
  room: RoomRow | undefined;
  members: Map<string, Member>;
  events: Map<string, RoomEvent & { redactedBy: number | null }>;
  /** Event IDs of transactions that were sent before, by `transactionKeyOf`. */
  transactions: Map<string, string>;
}

interface Row {
  kind: 'room' | 'member' | 'event' | 'transaction';
  key: string;
  membership: Membership | null;
  position: number | null;
  event_id: string | null;
  json: string | null;
  redacted_by: number | null;
}

export function transactionKeyOf(key: TransactionKey): string {
  return JSON.stringify([key.userId, key.deviceId, key.transactionId]);
}

/** Reads the row, memberships, events and sent transactions of one room in one round trip. */
export async function readRoom(db: Kysely<RoomserverTables>, reads: RoomReads): Promise<RoomReadResults> {
  const column = (of: (key: TransactionKey) => string): string[] => reads.transactions.map(of);
  const result = await sql<Row>`
    WITH room AS MATERIALIZED (
      SELECT r.room_nid, r.room_id, r.room_version, r.forward_extremities, r.depth, r.last_position,
        r.state_position, r.is_closed, b.room_id IS NOT NULL AS is_blocked
      FROM roomserver_rooms r LEFT JOIN roomserver_blocked_rooms b ON b.room_id = r.room_id
      WHERE r.room_id = ${reads.roomId}
    )
    SELECT 'room' AS kind, room_id AS key, NULL AS membership, NULL::bigint AS position, NULL AS event_id,
      row_to_json(room)::text AS json, NULL::bigint AS redacted_by
    FROM room
    UNION ALL
    SELECT 'member', m.user_id, m.membership, m.position, e.event_id, e.json, e.redacted_by
    FROM room JOIN roomserver_memberships m USING (room_nid) LEFT JOIN roomserver_events e ON e.position = m.position
    WHERE m.user_id = ANY(${[...reads.users]}::text[])
    UNION ALL
    SELECT 'event', e.event_id, NULL, e.position, e.event_id, e.json, e.redacted_by
    FROM room JOIN roomserver_events e USING (room_nid)
    WHERE e.event_id = ANY(${[...reads.eventIds]}::text[])
    UNION ALL
    SELECT 'transaction', json_build_array(t.user_id, t.device_id, t.transaction_id)::text, NULL, NULL, t.event_id, NULL, NULL
    FROM unnest(${column((key) => key.userId)}::text[], ${column((key) => key.deviceId)}::text[],
      ${column((key) => key.transactionId)}::text[]) AS asked (user_id, device_id, transaction_id)
    JOIN roomserver_transactions t USING (user_id, device_id, transaction_id) JOIN room USING (room_nid)
  `.execute(db);
  return collect(result.rows);
}

function collect(rows: readonly Row[]): RoomReadResults {
  const results: RoomReadResults = {
    room: undefined,
    members: new Map(),
    events: new Map(),
    transactions: new Map(),
  };
  for (const row of rows) {
    if (row.kind === 'room') {
      results.room = JSON.parse(row.json ?? 'null') as RoomRow;
      continue;
    }
    const pdu = parsePdu(row.json);
    const event =
      pdu === undefined || row.event_id === null || row.position === null
        ? undefined
        : { eventId: row.event_id, pdu, position: row.position, redactedBy: row.redacted_by };
    if (row.kind === 'member' && row.membership !== null) {
      results.members.set(row.key, { membership: row.membership, event });
    } else if (row.kind === 'event' && event !== undefined) {
      results.events.set(row.key, event);
    } else if (row.kind === 'transaction' && row.event_id !== null) {
      results.transactions.set(JSON.stringify(JSON.parse(row.key)), row.event_id);
    }
  }
  return results;
}

/** A page of the local users who are in a room or on their way in, in order of user ID. */
export async function readLocalMembers(
  db: Kysely<RoomserverTables>,
  roomNid: number,
  after: string,
  limit: number,
): Promise<Map<string, Member>> {
  const rows = await sql<{
    user_id: string;
    membership: Membership;
    position: number;
    event_id: string | null;
    json: string | null;
  }>`
    SELECT m.user_id, m.membership, m.position, e.event_id, e.json
    FROM roomserver_memberships m LEFT JOIN roomserver_events e ON e.position = m.position
    WHERE m.room_nid = ${roomNid} AND m.user_id > ${after} AND m.is_local
      AND m.membership = ANY('{join,invite,knock}'::text[])
    ORDER BY m.user_id LIMIT ${limit}
  `.execute(db);
  return new Map(
    rows.rows.map((row) => {
      const pdu = parsePdu(row.json);
      const event =
        pdu === undefined || row.event_id === null
          ? undefined
          : { eventId: row.event_id, pdu, position: row.position };
      return [row.user_id, { membership: row.membership, event }];
    }),
  );
}
