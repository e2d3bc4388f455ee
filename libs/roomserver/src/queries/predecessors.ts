import { sql } from 'kysely';

import { own, ownString } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';

/**
 * The rooms in whose place others are, by the ID of the new one. Both have to say so: the old one by its tombstone, so
 * that nobody makes a room the successor of another's.
 */
export async function predecessors(
  deps: Pick<QueryDeps, 'db'>,
  roomIds: readonly string[],
): Promise<Map<string, string>> {
  const creations = await stateOf(deps, roomIds, 'm.room.create');
  const named = [...creations].flatMap(([roomId, content]): [string, string][] => {
    const before = ownString(own(content, 'predecessor'), 'room_id');
    return before === undefined ? [] : [[roomId, before]];
  });
  const tombstones = await stateOf(
    deps,
    named.map(([, before]) => before),
    'm.room.tombstone',
  );
  return new Map(
    named.filter(([roomId, before]) => ownString(tombstones.get(before), 'replacement_room') === roomId),
  );
}

async function stateOf(
  deps: Pick<QueryDeps, 'db'>,
  roomIds: readonly string[],
  type: string,
): Promise<Map<string, unknown>> {
  if (roomIds.length === 0) return new Map();
  const found = await sql<{ room_id: string; json: string }>`
    SELECT r.room_id, e.json FROM roomserver_rooms r
    JOIN roomserver_current_state c ON c.room_nid = r.room_nid AND c.type = ${type} AND c.state_key = ''
    JOIN roomserver_events e ON e.position = c.position
    WHERE r.room_id = ANY(${[...roomIds]}::text[])
  `.execute(deps.db);
  return new Map(found.rows.map((row) => [row.room_id, parsePdu(row.json)?.content]));
}
