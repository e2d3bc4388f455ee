import { type Kysely, type RawBuilder, sql } from 'kysely';

import { type Pdu, stateMapKey } from '@seneschal/matrix';

import type { StateAt, StateEntry } from '../room/foreign-changes.ts';
import { parsePdu } from './rooms.ts';
import type { HiddenKind, RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/** An event that the server has, seen by clients or not. */
export interface KnownEvent {
  eventId: string;
  roomNid: number;
  pdu: Pdu;
  json: string;
  /** Undefined for hidden events. */
  position: number | undefined;
  kind: HiddenKind | 'timeline';
  /** Undefined when it is the room's state just before the position, or not known (outliers). */
  before: StateAt | undefined;
}

interface KnownRow {
  event_id: string;
  room_nid: number;
  json: string;
  position: number | null;
  kind: KnownEvent['kind'];
  base: number | null;
  changes: [string, string, string | null][] | null;
}

/** Those of the events that the server has, in whatever room. What cannot be read counts as not there. */
export async function readKnownEvents(db: Db, eventIds: Iterable<string>): Promise<Map<string, KnownEvent>> {
  const ids = [...new Set(eventIds)];
  if (ids.length === 0) return new Map();
  const result = await sql<KnownRow>`
    SELECT e.event_id, e.room_nid, e.json, e.position,
      CASE WHEN e.is_outlier THEN 'outlier' ELSE 'timeline' END AS kind, s.base, s.changes
    FROM roomserver_events e LEFT JOIN roomserver_event_states s USING (event_id)
    WHERE e.event_id = ANY(${ids}::text[])
    UNION ALL
    SELECT h.event_id, h.room_nid, h.json, NULL, h.kind, s.base, s.changes
    FROM roomserver_hidden_events h LEFT JOIN roomserver_event_states s USING (event_id)
    WHERE h.event_id = ANY(${ids}::text[])
  `.execute(db);
  const known = new Map<string, KnownEvent>();
  for (const row of result.rows) {
    const pdu = parsePdu(row.json);
    if (pdu === undefined) continue;
    known.set(row.event_id, {
      eventId: row.event_id,
      roomNid: row.room_nid,
      pdu,
      json: row.json,
      position: row.position ?? undefined,
      kind: row.kind,
      before:
        row.base === null || row.changes === null
          ? undefined
          : { base: row.base, changes: entriesOf(row.changes) },
    });
  }
  return known;
}

/** A redaction that clients have seen. */
export interface StoredRedaction {
  position: number;
  pdu: Pdu;
}

/** The redactions in a room that name one of these events, by what they name, in their order. */
export async function readRedactionsOf(
  db: Db,
  roomNid: number,
  eventIds: readonly string[],
): Promise<Map<string, StoredRedaction[]>> {
  const result = await sql<{ position: number; redacts: string; json: string }>`
    SELECT position, roomserver_redacts(json) AS redacts, json FROM roomserver_events
    WHERE type = 'm.room.redaction' AND roomserver_redacts(json) = ANY(${[...eventIds]}::text[])
      AND room_nid = ${roomNid} AND NOT is_outlier
    ORDER BY position
  `.execute(db);
  const redactions = new Map<string, StoredRedaction[]>();
  for (const { position, redacts, json } of result.rows) {
    const pdu = parsePdu(json);
    if (pdu === undefined) continue;
    redactions.set(redacts, [...(redactions.get(redacts) ?? []), { position, pdu }]);
  }
  return redactions;
}

function entriesOf(rows: readonly [string, string, string | null][]): Map<string, StateEntry> {
  return new Map(
    rows.map(([type, stateKey, eventId]) => [stateMapKey(type, stateKey), { type, stateKey, eventId }]),
  );
}

type StateMap = Map<string, StateEntry>;

interface EntryRow {
  type: string;
  state_key: string;
  event_id: string | null;
}

/** What the entries that changed within (base, upTo] were as of `base`. */
export async function entriesChangedSince(
  db: Db,
  roomNid: number,
  base: number,
  upTo: number,
): Promise<StateMap> {
  const result = await sql<EntryRow>`
    SELECT key.type, key.state_key, ${entryAsOf(roomNid, base)} AS event_id FROM (
      SELECT type, state_key FROM roomserver_events
      WHERE room_nid = ${roomNid} AND position > ${base} AND position <= ${upTo} AND state_key IS NOT NULL
      UNION
      SELECT type, state_key FROM roomserver_state_overrides
      WHERE room_nid = ${roomNid} AND position > ${base} AND position <= ${upTo}
    ) AS key
  `.execute(db);
  return mapOf(result.rows);
}

/** What some entries are as of a position. */
export async function entriesAsOf(
  db: Db,
  roomNid: number,
  base: number,
  entries: readonly Pick<StateEntry, 'type' | 'stateKey'>[],
): Promise<StateMap> {
  if (entries.length === 0) return new Map();
  const result = await sql<EntryRow>`
    SELECT key.type, key.state_key, ${entryAsOf(roomNid, base)} AS event_id FROM unnest(
      ${entries.map((one) => one.type)}::text[], ${entries.map((one) => one.stateKey)}::text[]
    ) AS key (type, state_key)
  `.execute(db);
  return mapOf(result.rows);
}

/** The event of `key.type` and `key.state_key`: the last one up to a position, or what overrode it since. */
function entryAsOf(roomNid: number, base: number): RawBuilder<unknown> {
  return sql`(
    SELECT last.event_id FROM (
      (SELECT e.position, e.event_id FROM roomserver_events e
        WHERE e.room_nid = ${roomNid} AND e.type = key.type AND e.state_key = key.state_key AND e.position <= ${base}
        ORDER BY e.position DESC LIMIT 1)
      UNION ALL
      (SELECT o.position, e.event_id FROM roomserver_state_overrides o
        LEFT JOIN roomserver_events e ON e.position = o.event_position
        WHERE o.room_nid = ${roomNid} AND o.type = key.type AND o.state_key = key.state_key AND o.position <= ${base}
        ORDER BY o.position DESC LIMIT 1)
    ) AS last ORDER BY last.position DESC LIMIT 1
  )`;
}

/** The whole state as of a position. Its cost grows with the number of members. */
export async function stateAsOf(db: Db, roomNid: number, base: number): Promise<StateMap> {
  const result = await sql<EntryRow>`
    SELECT key.type, key.state_key, CASE WHEN key.position <= ${base} AND NOT key.is_overridden
      THEN (SELECT event_id FROM roomserver_events WHERE position = key.position)
      ELSE ${entryAsOf(roomNid, base)} END AS event_id
    FROM (
      SELECT s.type, s.state_key, s.position, EXISTS (
        SELECT FROM roomserver_state_overrides o
        WHERE o.room_nid = s.room_nid AND o.type = s.type AND o.state_key = s.state_key
      ) AS is_overridden FROM (
        SELECT room_nid, type, state_key, position FROM roomserver_current_state WHERE room_nid = ${roomNid}
        UNION ALL
        SELECT room_nid, 'm.room.member', user_id, position FROM roomserver_memberships WHERE room_nid = ${roomNid}
        UNION
        SELECT room_nid, type, state_key, 0 FROM roomserver_state_overrides
        WHERE room_nid = ${roomNid} AND event_position IS NULL
      ) AS s
    ) AS key
  `.execute(db);
  return mapOf(result.rows.filter((row) => row.event_id !== null));
}

function mapOf(rows: readonly EntryRow[]): StateMap {
  return new Map(
    rows.map(({ type, state_key: stateKey, event_id: eventId }) => [
      stateMapKey(type, stateKey),
      { type, stateKey, eventId },
    ]),
  );
}
