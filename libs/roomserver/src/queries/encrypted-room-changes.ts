import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

interface EncryptedRoom {
  room_nid: number;
  membership: string;
  /** Whether all members are new to the user, or gone: the user came or went, or encryption began. */
  is_all_new: boolean;
}

/**
 * Client-server API, `device_lists` of a sync: who came to share an encrypted room with the user within
 * (since, until], and who shares none any more.
 */
export async function encryptedRoomChanges(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  since: number,
  until: number,
): Promise<{ met: string[]; parted: string[] }> {
  const rooms = await encryptedRooms(deps, userId, since);
  if (rooms.length === 0) return { met: [], parted: [] };
  const seen = await changesIn(deps, rooms, since, until);
  const candidates = seen.filter((row) => row.user_id !== userId);
  const sharing = await sharingEncryptedRooms(
    deps,
    userId,
    candidates.map((row) => row.user_id),
  );
  const met = candidates.filter((row) => row.is_joined && sharing.has(row.user_id));
  const parted = candidates.filter((row) => !sharing.has(row.user_id));
  return { met: unique(met), parted: unique(parted) };
}

function unique(rows: readonly { user_id: string }[]): string[] {
  return [...new Set(rows.map((row) => row.user_id))];
}

async function encryptedRooms(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  since: number,
): Promise<EncryptedRoom[]> {
  const result = await sql<EncryptedRoom>`
    SELECT m.room_nid, m.membership, (m.position > ${since} OR c.position > ${since}) AS is_all_new
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    JOIN roomserver_current_state c
      ON c.room_nid = m.room_nid AND c.type = 'm.room.encryption' AND c.state_key = ''
    WHERE m.user_id = ${userId} AND r.last_position > ${since}
      AND (m.membership = 'join' OR (m.position > ${since} AND m.membership = ANY('{leave,ban}'::text[])))
  `.execute(deps.db);
  return result.rows;
}

/** Members of the rooms that are all new, and members who changed within (since, until] in the others. */
async function changesIn(
  deps: Pick<QueryDeps, 'db'>,
  rooms: readonly EncryptedRoom[],
  since: number,
  until: number,
): Promise<{ user_id: string; is_joined: boolean }[]> {
  const allNew = rooms.filter((room) => room.is_all_new).map((room) => room.room_nid);
  const others = rooms.filter((room) => !room.is_all_new).map((room) => room.room_nid);
  const result = await sql<{ user_id: string; is_joined: boolean }>`
    SELECT m.user_id, m.membership = 'join' AS is_joined FROM roomserver_memberships m
    WHERE m.room_nid = ANY(${allNew}::bigint[]) AND (m.membership = 'join' OR m.position > ${since})
    UNION
    SELECT m.user_id, m.membership = 'join' FROM roomserver_events e
    JOIN roomserver_memberships m ON m.room_nid = e.room_nid AND m.user_id = e.state_key
    WHERE e.room_nid = ANY(${others}::bigint[]) AND e.position > ${since} AND e.position <= ${until}
      AND e.type = 'm.room.member'
  `.execute(deps.db);
  return result.rows;
}

async function sharingEncryptedRooms(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  candidates: readonly string[],
): Promise<Set<string>> {
  if (candidates.length === 0) return new Set();
  const result = await sql<{ user_id: string }>`
    SELECT DISTINCT other.user_id FROM roomserver_memberships own
    JOIN roomserver_current_state c
      ON c.room_nid = own.room_nid AND c.type = 'm.room.encryption' AND c.state_key = ''
    JOIN roomserver_memberships other ON other.room_nid = own.room_nid
    WHERE own.user_id = ${userId} AND own.membership = 'join'
      AND other.user_id = ANY(${candidates}::text[]) AND other.membership = 'join'
  `.execute(deps.db);
  return new Set(result.rows.map((row) => row.user_id));
}
