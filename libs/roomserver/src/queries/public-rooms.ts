import { type RawBuilder, sql } from 'kysely';

import type { PublicRoom, RoomserverForClient } from '@seneschal/contracts';
import { invalidParam, type JsonObject, ownString } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';

type Page = Parameters<RoomserverForClient['publicRooms']>[0];
type Result = Awaited<ReturnType<RoomserverForClient['publicRooms']>>;

const shownState = [
  'm.room.name',
  'm.room.topic',
  'm.room.canonical_alias',
  'm.room.avatar',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.join_rules',
  'm.room.create',
];

/** Events are kept as canonical JSON, in which this has no other form. */
const federatedRooms = sql`is_listed AND NOT EXISTS (
  SELECT FROM roomserver_current_state c JOIN roomserver_events e USING (position)
  WHERE c.room_nid = r.room_nid AND c.type = 'm.room.create' AND c.state_key = '' AND e.json LIKE '%"m.federate":false%'
)`;

interface ListedRow {
  room_nid: number;
  room_id: string;
  joined_members: number;
}

/**
 * The listed rooms, the largest first. `since` is the number of rooms before the page. For other servers without those
 * that were made to stay on this one.
 */
export async function publicRooms(
  deps: Pick<QueryDeps, 'db'>,
  page: Page,
  forServers = false,
): Promise<Result> {
  const which = forServers ? federatedRooms : sql`is_listed`;
  const offset = offsetOf(page.since);
  const search = page.search?.trim().toLowerCase() ?? '';
  const { roomTypes } = page;
  if (search === '' && roomTypes === undefined) {
    const [listed, total] = await Promise.all([
      listedRooms(deps, which, page.limit, offset),
      countListed(deps, which),
    ]);
    return paged(await describeRooms(deps, listed), total, page.limit, offset);
  }
  const all = await describeRooms(deps, await listedRooms(deps, which, null, 0));
  const found = all.filter(
    (room) =>
      (roomTypes?.includes(room.roomType ?? null) ?? true) &&
      [room.name ?? '', room.topic, room.canonicalAlias].some((text) => text?.toLowerCase().includes(search)),
  );
  return paged(found.slice(offset, offset + page.limit), found.length, page.limit, offset);
}

function offsetOf(since: string | undefined): number {
  if (since === undefined) return 0;
  const match = /^p(\d{1,9})$/.exec(since);
  if (match === null) throw invalidParam('since is not a token of the room directory.');
  return Number(match[1]);
}

function paged(rooms: PublicRoom[], total: number, limit: number, offset: number): Result {
  return {
    rooms,
    total,
    ...(offset + rooms.length < total ? { nextBatch: `p${offset + rooms.length}` } : {}),
    ...(offset > 0 ? { prevBatch: `p${Math.max(0, offset - limit)}` } : {}),
  };
}

async function listedRooms(
  deps: Pick<QueryDeps, 'db'>,
  which: RawBuilder<unknown>,
  limit: number | null,
  offset: number,
): Promise<ListedRow[]> {
  const result = await sql<ListedRow>`
    SELECT room_nid, room_id, joined_members FROM roomserver_rooms r WHERE ${which}
    ORDER BY joined_members DESC, room_nid LIMIT ${limit}::bigint OFFSET ${offset}::bigint
  `.execute(deps.db);
  return result.rows;
}

async function countListed(deps: Pick<QueryDeps, 'db'>, which: RawBuilder<unknown>): Promise<number> {
  const result = await sql<{ total: number }>`
    SELECT count(*) AS total FROM roomserver_rooms r WHERE ${which}
  `.execute(deps.db);
  return result.rows[0]?.total ?? 0;
}

/** What a directory tells of rooms, in the order in which they are given. */
export async function describeRooms(
  deps: Pick<QueryDeps, 'db'>,
  rooms: readonly ListedRow[],
): Promise<PublicRoom[]> {
  const result = await sql<{ room_nid: number; type: string; json: string }>`
    SELECT c.room_nid, c.type, e.json FROM roomserver_current_state c JOIN roomserver_events e USING (position)
    WHERE c.room_nid = ANY(${rooms.map((room) => room.room_nid)}::bigint[])
      AND c.type = ANY(${shownState}::text[]) AND c.state_key = ''
  `.execute(deps.db);
  const contents = new Map<string, JsonObject>();
  for (const row of result.rows) {
    contents.set(`${row.room_nid} ${row.type}`, parsePdu(row.json)?.content ?? {});
  }
  return rooms.map((room) => describeRoom(room, (type) => contents.get(`${room.room_nid} ${type}`)));
}

function describeRoom(room: ListedRow, state: (type: string) => JsonObject | undefined): PublicRoom {
  const optional = {
    name: ownString(state('m.room.name'), 'name'),
    topic: ownString(state('m.room.topic'), 'topic'),
    canonicalAlias: ownString(state('m.room.canonical_alias'), 'alias'),
    avatarUrl: ownString(state('m.room.avatar'), 'url'),
    roomType: ownString(state('m.room.create'), 'type'),
  };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined && value !== '');
  return {
    roomId: room.room_id,
    ...(Object.fromEntries(known) as Partial<PublicRoom>),
    joinedMembers: room.joined_members,
    worldReadable: ownString(state('m.room.history_visibility'), 'history_visibility') === 'world_readable',
    guestCanJoin: ownString(state('m.room.guest_access'), 'guest_access') === 'can_join',
    joinRule: ownString(state('m.room.join_rules'), 'join_rule') ?? 'invite',
  };
}
