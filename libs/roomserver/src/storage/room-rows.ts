import { createHash } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import { countAllOwned, deleteOwned, type OwnedCursor, type OwnedRows } from '@seneschal/database';

import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/** Everything that is found by a room's number, but its events, its aliases and the row of the room itself. */
const byNumber: readonly OwnedRows[] = [
  { table: 'roomserver_memberships', owner: 'room_nid', key: ['user_id'] },
  { table: 'roomserver_notice_rooms', owner: 'room_nid', key: ['user_id'] },
  { table: 'roomserver_hidden_events', owner: 'room_nid', key: ['event_id'] },
  { table: 'roomserver_event_states', owner: 'room_nid', key: ['event_id'] },
  { table: 'roomserver_state_overrides', owner: 'room_nid', key: ['type', 'state_key', 'position'] },
  { table: 'roomserver_room_servers', owner: 'room_nid', key: ['server_name'] },
  { table: 'roomserver_invite_states', owner: 'room_nid', key: ['user_id'] },
  { table: 'roomserver_current_state', owner: 'room_nid', key: ['type', 'state_key'] },
  {
    table: 'roomserver_transactions',
    owner: 'room_nid',
    key: ['user_id', 'device_id', 'transaction_id'],
  },
];

/** What names the room by its ID. */
const byRoomId: readonly OwnedRows[] = [
  { table: 'roomserver_reports', owner: 'room_id', key: ['report_id'] },
  {
    table: 'roomserver_output',
    owner: "fact->>'roomId'",
    key: ['position'],
    where: "fact->>'kind' <> 'events_stored' AND fact->>'kind' <> 'room_purged'",
  },
];

const others: readonly OwnedRows[] = [
  { table: 'roomserver_rooms', owner: 'room_nid', key: ['room_nid'] },
  { table: 'roomserver_events', owner: 'room_nid', key: ['position'] },
  { table: 'roomserver_aliases', owner: 'room_nid', key: ['alias'] },
];

export interface RoomKey {
  roomNid: number;
  roomId: string;
}

export interface RowsPage {
  deleted: Record<string, number>;
  /** null when nothing is left. */
  cursor: OwnedCursor | null;
}

/** Deletes a page of what belongs to a room by its number. */
export function deleteNumbered(
  db: Db,
  { roomNid }: RoomKey,
  page: { cursor: OwnedCursor | null; limit: number },
): Promise<RowsPage> {
  return deleteOwned(db, byNumber, roomNid, page);
}

/** Deletes a page of the facts that name the room, those about its events apart. */
export function deleteNamed(
  db: Db,
  { roomId }: RoomKey,
  page: { cursor: OwnedCursor | null; limit: number },
): Promise<RowsPage> {
  return deleteOwned(db, byRoomId, roomId, page);
}

/** Event IDs in one link of the digest: pages of events are multiples of it. */
export const digestLink = 1000;

export interface EventsPage {
  deleted: Record<string, number>;
  /** Position of the last event that went; undefined when none is left. */
  next: number | undefined;
  digest: string;
}

/**
 * Deletes a page of a room's events, in order of position, with the facts that stand at their positions, and
 * carries the digest of the deletion record on: SHA-256 (hex) of the digest so far and the SHA-256 of the next
 * thousand event IDs, joined by newlines. Without a page's events in the memory of this process.
 */
export async function deleteEvents(
  db: Db,
  { roomNid }: RoomKey,
  page: { after: number; limit: number; digest: string },
): Promise<EventsPage> {
  const limit = Math.max(digestLink, page.limit - (page.limit % digestLink));
  const bound = await sql<{ position: number }>`
    SELECT position FROM roomserver_events WHERE room_nid = ${roomNid} AND position > ${page.after}
    ORDER BY position OFFSET ${limit - 1} LIMIT 1
  `.execute(db);
  const next = bound.rows[0]?.position;
  const result = await sql<{ events: number; facts: number; links: string[] | null }>`
    WITH gone AS MATERIALIZED (
      DELETE FROM roomserver_events WHERE room_nid = ${roomNid} AND position > ${page.after}
        AND position <= ${next ?? Number.MAX_SAFE_INTEGER}
      RETURNING position, event_id
    ), facts AS (
      DELETE FROM roomserver_output WHERE position = ANY(ARRAY(SELECT position FROM gone)) RETURNING 1
    ), numbered AS (
      SELECT position, event_id, (row_number() OVER (ORDER BY position) - 1) / ${digestLink}::bigint AS link FROM gone
    ), links AS (
      SELECT link, encode(sha256(convert_to(string_agg(event_id, E'\n' ORDER BY position), 'UTF8')), 'hex') AS digest
      FROM numbered GROUP BY link
    )
    SELECT (SELECT count(*) FROM gone) AS events, (SELECT count(*) FROM facts) AS facts,
      (SELECT array_agg(digest ORDER BY link) FROM links) AS links
  `.execute(db);
  const { events = 0, facts = 0, links } = result.rows[0] ?? {};
  const digest = (links ?? []).reduce(chain, page.digest);
  return { deleted: { roomserver_events: events, roomserver_output: facts }, next, digest };
}

/** One more link of a deletion's digest. */
export function chain(digest: string, link: string): string {
  return createHash('sha256').update(digest).update(link).digest('hex');
}

/** What is stored of rooms, by table: what a rehearsal tells, and what has to be nothing in the end. */
export async function countRoomRows(db: Db, ...rooms: RoomKey[]): Promise<Record<string, number>> {
  const nids = rooms.map(({ roomNid }) => roomNid);
  const ids = rooms.map(({ roomId }) => roomId);
  return {
    ...(await countAllOwned(db, [...others, ...byNumber], nids)),
    ...(await countAllOwned(db, byRoomId, ids)),
  };
}
