import { type Kysely, type RawBuilder, sql } from 'kysely';

import { ownString, serverNameOf } from '@seneschal/matrix';

import type { NewEvent } from '../room/room-event.ts';
import { isOpenToAll } from '../room/publicness.ts';
import type { RoomDraft } from '../room/room-draft.ts';
import type { TransactionKey } from './room-reads.ts';
import { foreignParts } from './store-foreign.ts';
import type { RoomserverTables } from './tables.ts';

export interface SentTransaction extends TransactionKey {
  eventId: string;
}

export interface DraftWrite {
  draft: RoomDraft;
  sent: readonly SentTransaction[];
  serverName: string;
  /** A statement to take effect together with the draft, guarded by `FROM room`. */
  also?: RawBuilder<unknown> | undefined;
}

/** True for the row of the room when, and only when, the draft is stored. */
export const ifStored = sql`FROM room`;

/**
 * Stores what a draft adds — events, current state, memberships, redactions, sent transactions, the room's
 * row and the fact for the consumers — in one statement, so in one round trip and one transaction whatever
 * the number of events. Answers the last position, or undefined, with nothing stored, when the room has been
 * written to since it was read, or is gone or being deleted since.
 *
 * Within the statement the log's lock comes first and is held to the commit, so positions become visible in
 * the order of their numbers; nobody waits for a room while holding it.
 */
export async function storeDraft(
  db: Kysely<RoomserverTables>,
  { draft, sent, serverName, also }: DraftWrite,
): Promise<number | undefined> {
  const { room, events } = draft;
  const numbers = new Map(events.map((event, index) => [event.eventId, index + 1]));
  const numberOf = (event: NewEvent): number => numbers.get(event.eventId) ?? 0;
  const now = Date.now();
  const stored = await sql<{ n: number; position: number }>`
    WITH log AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('roomserver_output', 0))),
    numbered AS MATERIALIZED (
      SELECT n, nextval('roomserver_output_position') AS position FROM log, generate_series(1, ${Math.max(1, events.length)}::int) AS n
    ),
    room AS (${updateRoom(draft)}),
    events AS (${insertEvents(draft, numberOf)}),
    state AS (${upsertState(draft, numberOf)}),
    members AS (${upsertMemberships(draft, serverName, numberOf)}),
    redacted AS (${updateRedacted(draft, numberOf)}),
    sent AS (${insertTransactions(sent, now)}),
    fact AS (
      INSERT INTO roomserver_output (position, fact, created_ts)
      SELECT max(position), ${JSON.stringify(factOf(draft))}::jsonb || jsonb_build_object('first', min(position)), ${now}::bigint
      FROM numbered, room HAVING count(*) > 0
    )
    ${foreignParts(draft, serverName)}
    ${also === undefined ? sql`` : sql`, also AS (${also})`}
    SELECT n, position FROM numbered, room WHERE room.room_nid = ${room.roomNid}::bigint ORDER BY n
  `.execute(db);
  if (stored.rows.length === 0) return undefined;
  stored.rows.forEach(({ position }, index) => {
    const event = events[index];
    if (event !== undefined) event.position = position;
  });
  return stored.rows.at(-1)?.position;
}

function factOf(draft: RoomDraft): object {
  const { via } = draft.foreign;
  return {
    kind: 'events_stored',
    roomId: draft.room.roomId,
    count: draft.events.length,
    memberships: draft.membershipChanges,
    ...(via === undefined ? {} : { via }),
  };
}

function countChange(draft: RoomDraft, membership: string): number {
  return draft.membershipChanges.reduce(
    (sum, change) => sum + Number(change.membership === membership) - Number(change.previous === membership),
    0,
  );
}

function updateRoom(draft: RoomDraft): RawBuilder<unknown> {
  return sql`
    UPDATE roomserver_rooms SET
      forward_extremities = ${[...draft.forwardExtremities]}::text[],
      depth = ${draft.depth}::bigint,
      last_position = (SELECT max(position) FROM numbered),
      state_position = CASE WHEN ${draft.isStateChanged}::boolean
        THEN (SELECT max(position) FROM numbered) ELSE state_position END,
      joined_members = joined_members + ${countChange(draft, 'join')}::int,
      invited_members = invited_members + ${countChange(draft, 'invite')}::int,
      is_public = CASE WHEN ${draft.isStateChanged}::boolean THEN ${isOpenToAll((type) => draft.stateEvent(type)?.pdu.content)}::boolean ELSE is_public END,
      may_hide_history = may_hide_history OR ${draft.events.some(hidesHistory)}::boolean
    WHERE room_nid = ${draft.room.roomNid}::bigint AND last_position = ${draft.room.lastPosition}::bigint
      AND is_closed = ${draft.room.isClosed ?? false}::boolean
    RETURNING room_nid`;
}

/** Whether members may not see everything from here on: any value but these two is, or may be taken for, one that hides. */
function hidesHistory({ pdu }: NewEvent): boolean {
  if (pdu.type !== 'm.room.history_visibility' || pdu.state_key !== '') return false;
  const value = ownString(pdu.content, 'history_visibility');
  return value !== 'shared' && value !== 'world_readable';
}

type NumberOf = (event: NewEvent) => number;

function insertEvents({ events }: RoomDraft, numberOf: NumberOf): RawBuilder<unknown> {
  const replacedNumber = ({ replaces }: NewEvent): number | null =>
    replaces?.position === undefined && replaces !== undefined ? numberOf(replaces as NewEvent) : null;
  return sql`
    INSERT INTO roomserver_events (position, room_nid, event_id, type, state_key, sender, json, replaces,
      redacted_by, is_outlier)
    SELECT numbered.position, room.room_nid, event_id, type, state_key, sender, json,
      coalesce(replaces, earlier.position), redacted_by, is_outlier
    FROM room, unnest(
      ${events.map(numberOf)}::int[], ${events.map((event) => event.eventId)}::text[],
      ${events.map((event) => event.pdu.type)}::text[], ${events.map((event) => event.pdu.state_key ?? null)}::text[],
      ${events.map((event) => event.pdu.sender)}::text[], ${events.map((event) => event.json)}::text[],
      ${events.map((event) => event.replaces?.position ?? null)}::bigint[], ${events.map(replacedNumber)}::int[],
      ${events.map((event) => event.redactedBy ?? null)}::bigint[],
      ${events.map((event) => event.isOutlier ?? false)}::boolean[]
    ) AS new (n, event_id, type, state_key, sender, json, replaces, replaced_n, redacted_by, is_outlier)
    JOIN numbered USING (n) LEFT JOIN numbered AS earlier ON earlier.n = new.replaced_n`;
}

function upsertState({ changedState }: RoomDraft, numberOf: NumberOf): RawBuilder<unknown> {
  return sql`
    INSERT INTO roomserver_current_state (room_nid, type, state_key, position)
    SELECT room.room_nid, type, state_key, position
    FROM room, unnest(
      ${changedState.map(numberOf)}::int[], ${changedState.map((event) => event.pdu.type)}::text[],
      ${changedState.map((event) => event.pdu.state_key ?? '')}::text[]
    ) AS new (n, type, state_key) JOIN numbered USING (n)
    ON CONFLICT (room_nid, type, state_key) DO UPDATE SET position = EXCLUDED.position`;
}

/** The last membership event of each user: one statement cannot write a row twice. */
function lastMemberships(draft: RoomDraft): [string, NewEvent][] {
  const last = new Map<string, NewEvent>();
  for (const event of draft.events) {
    if (event.pdu.type === 'm.room.member' && event.pdu.state_key !== undefined) {
      last.set(event.pdu.state_key, event);
    }
  }
  return [...last];
}

function upsertMemberships(draft: RoomDraft, serverName: string, numberOf: NumberOf): RawBuilder<unknown> {
  const members = lastMemberships(draft);
  return sql`
    INSERT INTO roomserver_memberships AS known (room_nid, user_id, membership, position, is_local)
    SELECT room.room_nid, user_id, membership, position, is_local
    FROM room, unnest(
      ${members.map(([, event]) => numberOf(event))}::int[], ${members.map(([userId]) => userId)}::text[],
      ${members.map(([userId]) => draft.membership(userId) ?? 'leave')}::text[],
      ${members.map(([userId]) => serverNameOf(userId) === serverName)}::boolean[]
    ) AS new (n, user_id, membership, is_local) JOIN numbered USING (n)
    ON CONFLICT (room_nid, user_id) DO UPDATE
      SET membership = EXCLUDED.membership, position = EXCLUDED.position, is_forgotten = false,
        since = CASE WHEN known.membership = EXCLUDED.membership THEN coalesce(known.since, known.position) END`;
}

/** Events that were stored before; what this draft adds cannot yet be named by a redaction. */
function updateRedacted({ redactions }: RoomDraft, numberOf: NumberOf): RawBuilder<unknown> {
  return sql`
    UPDATE roomserver_events e SET json = new.json, redacted_by = numbered.position
    FROM room, unnest(
      ${redactions.map(({ by }) => numberOf(by))}::int[],
      ${redactions.map(({ target }) => target.event.position)}::bigint[],
      ${redactions.map(({ target }) => target.redactedJson)}::text[]
    ) AS new (n, redacts, json) JOIN numbered USING (n)
    WHERE e.position = new.redacts`;
}

function insertTransactions(sent: readonly SentTransaction[], now: number): RawBuilder<unknown> {
  return sql`
    INSERT INTO roomserver_transactions (user_id, device_id, transaction_id, room_nid, event_id, created_ts)
    SELECT user_id, device_id, transaction_id, room.room_nid, event_id, ${now}::bigint
    FROM room, unnest(
      ${sent.map((one) => one.userId)}::text[], ${sent.map((one) => one.deviceId)}::text[],
      ${sent.map((one) => one.transactionId)}::text[], ${sent.map((one) => one.eventId)}::text[]
    ) AS new (user_id, device_id, transaction_id, event_id)`;
}
