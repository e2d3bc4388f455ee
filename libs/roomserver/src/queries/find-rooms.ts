import { type RawBuilder, sql } from 'kysely';

import type { RoomFilter, RoomserverForAdmin } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';

type Selection = Parameters<RoomserverForAdmin['findRooms']>[0];
type Found = Awaited<ReturnType<RoomserverForAdmin['findRooms']>>[number] & { roomNid: number };

const dayMs = 86_400_000;

/**
 * The rooms that meet every condition of a filter, the oldest first, and how many events are in each. Only
 * what has a limit is asked for: a filter that finds a million rooms gives as many as are wanted, and `after`,
 * the number of the last one, goes on from there.
 */
export async function findRooms(
  deps: Pick<QueryDeps, 'db'>,
  selection: Selection & { after?: number },
): Promise<Found[]> {
  const { filter, exclude, limit, after = 0 } = selection;
  const result = await sql<{ room_nid: number; room_id: string; events: number }>`
    SELECT r.room_nid, r.room_id, (SELECT count(*) FROM roomserver_events e WHERE e.room_nid = r.room_nid) AS events
    FROM roomserver_rooms r
    WHERE r.room_nid > ${after} AND NOT r.is_closed AND NOT r.room_id = ANY(${[...exclude]}::text[])
      ${sql.join(conditions(filter), sql` `)}
    ORDER BY r.room_nid LIMIT ${limit}
  `.execute(deps.db);
  return result.rows.map((row) => ({ roomNid: row.room_nid, roomId: row.room_id, events: row.events }));
}

function conditions(filter: RoomFilter): RawBuilder<unknown>[] {
  const { roomIds, emptyForDays, name, creator, server } = filter;
  return [
    sql``,
    ...(roomIds === undefined ? [] : [sql`AND r.room_id = ANY(${roomIds}::text[])`]),
    ...(emptyForDays === undefined ? [] : [emptyFor(emptyForDays)]),
    ...(name === undefined ? [] : [sql`AND ${ofState('m.room.name', nameLike(name))}`]),
    ...(creator === undefined ? [] : [sql`AND ${ofState('m.room.create', sql`e.sender = ${creator}`)}`]),
    ...(server === undefined ? [] : [sql`AND ${ofState('m.room.create', ofServer(server))}`]),
  ];
}

/** Since when a room is quiet stands in the fact of its last events. */
function emptyFor(days: number): RawBuilder<unknown> {
  const before = Date.now() - days * dayMs;
  return sql`AND NOT EXISTS (
      SELECT FROM roomserver_memberships m
      WHERE m.room_nid = r.room_nid AND m.is_local AND m.membership = 'join'
    ) AND coalesce(
      (SELECT o.created_ts FROM roomserver_output o WHERE o.position = r.last_position), r.created_ts
    ) < ${before}`;
}

function ofState(type: string, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`EXISTS (
    SELECT FROM roomserver_current_state s JOIN roomserver_events e ON e.position = s.position
    WHERE s.room_nid = r.room_nid AND s.type = ${type} AND s.state_key = '' AND ${condition}
  )`;
}

/** An event that is damaged has no name; NUL, which PostgreSQL's text cannot hold, is passed over. */
function nameLike(pattern: string): RawBuilder<unknown> {
  const like = pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
  return sql`roomserver_json(replace(e.json, '\\u0000', ''))->'content'->>'name' LIKE ${like}`;
}

function ofServer(server: string): RawBuilder<unknown> {
  return sql`substr(e.sender, strpos(e.sender, ':') + 1) = ${server}`;
}
