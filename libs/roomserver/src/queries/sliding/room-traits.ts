import { sql } from 'kysely';

import type { RoomTraits } from '@seneschal/contracts';
import { isJsonObject, type JsonObject, own, ownString } from '@seneschal/matrix';

import { parsePdu } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';

interface Row {
  room_id: string;
  creation: string | null;
  is_encrypted: boolean;
  /** What another server told when it invited the user; only where there is no state. */
  told: JsonObject[] | null;
}

/** What filters of lists ask of rooms, from their state or from what the user was told when invited. */
export async function roomTraits(
  deps: QueryDeps,
  userId: string,
  roomIds: readonly string[],
): Promise<Map<string, RoomTraits>> {
  if (roomIds.length === 0) return new Map();
  const result = await sql<Row>`
    SELECT r.room_id, creation.json AS creation, i.events AS told, EXISTS (
      SELECT FROM roomserver_current_state s
      WHERE s.room_nid = r.room_nid AND s.type = 'm.room.encryption' AND s.state_key = ''
    ) AS is_encrypted
    FROM roomserver_rooms r
    LEFT JOIN roomserver_current_state c
      ON c.room_nid = r.room_nid AND c.type = 'm.room.create' AND c.state_key = ''
    LEFT JOIN roomserver_events creation ON creation.position = c.position
    LEFT JOIN roomserver_invite_states i
      ON i.room_nid = r.room_nid AND i.user_id = ${userId} AND c.position IS NULL
    WHERE r.room_id = ANY(${[...roomIds]}::text[])
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.room_id, traitsOf(row)]));
}

function traitsOf({ creation, is_encrypted: isEncrypted, told }: Row): RoomTraits {
  if (told === null) {
    const content = parsePdu(creation)?.content;
    return { type: content === undefined ? undefined : (ownString(content, 'type') ?? null), isEncrypted };
  }
  const created = told.find((event) => own(event, 'type') === 'm.room.create');
  const content = created === undefined ? undefined : own(created, 'content');
  return {
    type: isJsonObject(content) ? (ownString(content, 'type') ?? null) : undefined,
    isEncrypted: told.some((event) => own(event, 'type') === 'm.room.encryption'),
  };
}

/** Rooms that are named by spaces which the user is joined to; children that were taken out name no server. */
export async function roomsInSpaces(
  deps: QueryDeps,
  userId: string,
  spaceIds: readonly string[],
): Promise<Map<string, Set<string>>> {
  const spaces = new Map<string, Set<string>>();
  if (spaceIds.length === 0) return spaces;
  const result = await sql<{ space_id: string; room_id: string; json: string }>`
    SELECT r.room_id AS space_id, c.state_key AS room_id, e.json
    FROM roomserver_rooms r
    JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = ${userId} AND m.membership = 'join'
    JOIN roomserver_current_state c ON c.room_nid = r.room_nid AND c.type = 'm.space.child'
    JOIN roomserver_events e ON e.position = c.position
    WHERE r.room_id = ANY(${[...spaceIds]}::text[])
  `.execute(deps.db);
  for (const { space_id: spaceId, room_id: roomId, json } of result.rows) {
    if (!Array.isArray(own(parsePdu(json)?.content, 'via'))) continue;
    const known = spaces.get(spaceId) ?? new Set();
    spaces.set(spaceId, known.add(roomId));
  }
  return spaces;
}
