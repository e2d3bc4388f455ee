import { sql } from 'kysely';

import { ownString } from '@seneschal/matrix';

import { selectErased } from '../../storage/erased-users.ts';
import { parsePdu } from '../event-rows.ts';
import type { QueryDeps } from '../query-deps.ts';

interface Change {
  position: number;
  user_id: string | null;
  json: string;
}

/**
 * Those of the events that a server may see: everything in rooms whose history was visible then, else what was sent
 * while one of its users was joined (or, where that is enough, invited). Events without a position are seen, and those
 * of erased users not by a server that came after the erasure.
 */
export async function visibleToServer(
  deps: QueryDeps,
  roomId: string,
  serverName: string,
  eventIds: readonly string[],
): Promise<Set<string>> {
  const events = await sql<StoredRow>`
    SELECT e.event_id, e.position, e.type, e.sender, e.state_key FROM roomserver_events e JOIN roomserver_rooms r USING (room_nid)
    WHERE r.room_id = ${roomId} AND e.event_id = ANY(${[...eventIds]}::text[])
  `.execute(deps.db);
  const visibilities = await visibilityChanges(deps, roomId);
  const erased = await selectErased(deps.db, [...new Set(events.rows.map(({ sender }) => sender))]);
  const isOpen = visibilities.every(({ value }) => value === 'shared' || value === 'world_readable');
  if (isOpen && erased.size === 0) return new Set(eventIds);
  const memberships = await membershipChanges(deps, roomId, serverName);
  const hidden = events.rows.filter(
    (row) =>
      !mayBeSeen(row.position, visibilities, memberships) ||
      isErasedFor(row, erased.get(row.sender), memberships),
  );
  const visible = new Set(eventIds);
  for (const { event_id: eventId } of hidden) visible.delete(eventId);
  return visible;
}

interface StoredRow {
  event_id: string;
  position: number;
  type: string;
  sender: string;
  state_key: string | null;
}

/** Whether a server sees an event without its content, as its sender was erased before the server came. */
function isErasedFor(
  { position, type, sender, state_key: stateKey }: StoredRow,
  erasedAt: number | undefined,
  memberships: readonly Membership[],
): boolean {
  if (erasedAt === undefined) return false;
  if (stateKey !== null && (type !== 'm.room.member' || stateKey !== sender)) return false;
  return ![position, erasedAt].some((at) => isIn(at, memberships));
}

function isIn(position: number, memberships: readonly Membership[]): boolean {
  const present = new Map<string, string>();
  for (const change of memberships) {
    if (change.position <= position) present.set(change.userId, change.membership);
  }
  return [...present.values()].includes('join');
}

interface Visibility {
  position: number;
  value: string;
}

interface Membership {
  position: number;
  userId: string;
  membership: string;
}

/** What cannot be read hides. */
async function visibilityChanges(deps: QueryDeps, roomId: string): Promise<Visibility[]> {
  const result = await sql<Change>`
    SELECT e.position, NULL AS user_id, e.json FROM roomserver_events e JOIN roomserver_rooms r USING (room_nid)
    WHERE r.room_id = ${roomId} AND e.type = 'm.room.history_visibility' AND e.state_key = '' ORDER BY e.position
  `.execute(deps.db);
  return result.rows.map(({ position, json }) => {
    const value = ownString(parsePdu(json)?.content, 'history_visibility') ?? 'joined';
    return { position, value };
  });
}

async function membershipChanges(deps: QueryDeps, roomId: string, serverName: string): Promise<Membership[]> {
  const result = await sql<Change>`
    SELECT e.position, e.state_key AS user_id, e.json
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    JOIN roomserver_events e ON e.room_nid = m.room_nid AND e.type = 'm.room.member' AND e.state_key = m.user_id
    WHERE r.room_id = ${roomId} AND NOT m.is_local AND regexp_replace(m.user_id, '^[^:]*:', '') = ${serverName}
    ORDER BY e.position
  `.execute(deps.db);
  return result.rows.map(({ position, user_id: userId, json }) => ({
    position,
    userId: userId ?? '',
    membership: ownString(parsePdu(json)?.content, 'membership') ?? 'leave',
  }));
}

/** As of the event: a user's own membership event is seen by what it makes of the user, or by what there was before. */
function mayBeSeen(
  position: number,
  visibilities: readonly Visibility[],
  memberships: readonly Membership[],
): boolean {
  const value = visibilities.findLast((one) => one.position <= position)?.value ?? 'shared';
  if (value === 'shared' || value === 'world_readable') return true;
  const enough = value === 'invited' ? ['join', 'invite'] : ['join'];
  const present = new Map<string, string>();
  for (const change of memberships) {
    if (change.position > position) break;
    if (change.position === position && enough.includes(present.get(change.userId) ?? '')) return true;
    present.set(change.userId, change.membership);
  }
  return [...present.values()].some((membership) => enough.includes(membership));
}
