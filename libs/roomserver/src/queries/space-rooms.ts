import { sql } from 'kysely';

import type { SpaceRoom } from '@seneschal/contracts';
import {
  isJsonObject,
  isRoomId,
  type JsonObject,
  ownString,
  type Pdu,
  toStrippedState,
} from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import { describeRooms } from './public-rooms.ts';
import type { QueryDeps } from './query-deps.ts';

/** Children of one space that are looked at. */
export const mostChildren = 1000;
const mostAllowed = 100;
const openRules: ReadonlySet<string> = new Set(['public', 'knock', 'knock_restricted']);

/**
 * Rooms as a space hierarchy tells of them (client-server API, "Querying rooms in a space"), whoever asks: who may know of
 * a room is for the caller to judge. Rooms without a local member, and those that are being deleted, are left out.
 */
export async function spaceRooms(
  deps: QueryDeps,
  roomIds: readonly string[],
): Promise<Map<string, SpaceRoom>> {
  const rooms = await sql<{
    room_nid: number;
    room_id: string;
    room_version: string;
    joined_members: number;
  }>`
    SELECT room_nid, room_id, room_version, joined_members FROM roomserver_rooms r
    WHERE room_id = ANY(${[...roomIds]}::text[]) AND NOT is_closed AND EXISTS (
      SELECT FROM roomserver_memberships m WHERE m.room_nid = r.room_nid AND m.is_local AND m.membership = 'join'
    )
  `.execute(deps.db);
  const nids = rooms.rows.map((row) => row.room_nid);
  const described = await describeRooms(deps, rooms.rows);
  const rules = await rulesOf(deps, nids);
  const children = await childrenOf(deps, nids);
  return new Map(
    rooms.rows.map(({ room_nid: nid, room_id: roomId, room_version: roomVersion }, index) => {
      const room = described[index] ?? notDescribed(roomId);
      const encryption = ownString(rules.get(`${nid} m.room.encryption`), 'algorithm');
      return [
        roomId,
        {
          ...room,
          roomVersion,
          ...(encryption === undefined ? {} : { encryption }),
          allowedRooms: allowedRooms(rules.get(`${nid} m.room.join_rules`)),
          childrenState: children.get(nid) ?? [],
          isOpen: room.worldReadable || openRules.has(room.joinRule),
        },
      ];
    }),
  );
}

function notDescribed(
  roomId: string,
): Omit<SpaceRoom, 'roomVersion' | 'allowedRooms' | 'childrenState' | 'isOpen'> {
  return { roomId, joinedMembers: 0, worldReadable: false, guestCanJoin: false, joinRule: 'invite' };
}

async function rulesOf(deps: QueryDeps, nids: readonly number[]): Promise<Map<string, JsonObject>> {
  const result = await sql<{ room_nid: number; type: string; json: string }>`
    SELECT c.room_nid, c.type, e.json FROM roomserver_current_state c JOIN roomserver_events e USING (position)
    WHERE c.room_nid = ANY(${[...nids]}::bigint[]) AND c.state_key = ''
      AND c.type IN ('m.room.join_rules', 'm.room.encryption')
  `.execute(deps.db);
  return new Map(
    result.rows.map((row) => [`${row.room_nid} ${row.type}`, parsePdu(row.json)?.content ?? {}]),
  );
}

function allowedRooms(content: JsonObject | undefined): string[] {
  const rule = content?.['join_rule'];
  if (rule !== 'restricted' && rule !== 'knock_restricted') return [];
  const allow = Array.isArray(content?.['allow']) ? content['allow'] : [];
  return allow
    .filter(isJsonObject)
    .filter((one) => one['type'] === 'm.room_membership')
    .map((one) => one['room_id'])
    .filter((roomId): roomId is string => typeof roomId === 'string' && isRoomId(roomId))
    .slice(0, mostAllowed);
}

type Children = SpaceRoom['childrenState'];

/** Children that name servers to join through; the others are none (client-server API, "m.space.child"). */
async function childrenOf(deps: QueryDeps, nids: readonly number[]): Promise<Map<number, Children>> {
  const result = await sql<{ room_nid: number; json: string }>`
    SELECT n.room_nid, c.json FROM unnest(${[...nids]}::bigint[]) AS n (room_nid) CROSS JOIN LATERAL (
      SELECT e.json FROM roomserver_current_state s JOIN roomserver_events e USING (position)
      WHERE s.room_nid = n.room_nid AND s.type = 'm.space.child' ORDER BY s.state_key LIMIT ${mostChildren}
    ) AS c
  `.execute(deps.db);
  const children = new Map<number, Pdu[]>();
  for (const row of result.rows) {
    const pdu = parsePdu(row.json);
    if (pdu === undefined || !isChild(pdu)) continue;
    const siblings = children.get(row.room_nid) ?? [];
    siblings.push(pdu);
    children.set(row.room_nid, siblings);
  }
  return new Map([...children].map(([nid, pdus]) => [nid, pdus.sort(byOrder).map(shown)]));
}

function isChild({ state_key: roomId, content }: Pdu): boolean {
  return (
    roomId !== undefined && isRoomId(roomId) && Array.isArray(content['via']) && content['via'].length > 0
  );
}

/** By `order` where it is valid, then by time, then by room ID (client-server API, "Ordering of children within a space"). */
function byOrder(one: Pdu, other: Pdu): number {
  const [a, b] = [orderOf(one), orderOf(other)];
  if (a !== b) return a === undefined ? 1 : b === undefined ? -1 : a < b ? -1 : 1;
  const ids = (one.state_key ?? '') < (other.state_key ?? '') ? -1 : 1;
  return one.origin_server_ts - other.origin_server_ts || ids;
}

function orderOf({ content }: Pdu): string | undefined {
  const order = content['order'];
  return typeof order === 'string' && /^[\x20-\x7e]{1,50}$/.test(order) ? order : undefined;
}

function shown(pdu: Pdu): Children[number] {
  const stripped = toStrippedState(pdu) as JsonObject & { state_key: string };
  return { ...stripped, origin_server_ts: pdu.origin_server_ts };
}
