import { sql } from 'kysely';

import type { RoomSummary } from '@seneschal/contracts';

import type { QueryDeps } from './query-deps.ts';
import type { LocatedRoom } from './sync-timelines.ts';

const maximumHeroes = 5;

/** The summaries of rooms by their number, in one query. */
export async function readSummaries(
  deps: QueryDeps,
  userId: string,
  plans: readonly { room: LocatedRoom }[],
): Promise<Map<number, RoomSummary>> {
  if (plans.length === 0) return new Map();
  const heroes = await readHeroes(
    deps,
    userId,
    plans.map(({ room }) => room.roomNid),
  );
  return new Map(
    plans.map(({ room }) => [
      room.roomNid,
      {
        joinedMembers: room.joinedMembers,
        invitedMembers: room.invitedMembers,
        heroes: heroes.get(room.roomNid),
      },
    ]),
  );
}

/** For rooms without a name and a canonical alias: other members, those who left when there is nobody else. */
async function readHeroes(
  deps: QueryDeps,
  userId: string,
  roomNids: readonly number[],
): Promise<Map<number, string[]>> {
  const result = await sql<{ room_nid: number; present: string[] | null; gone: string[] | null }>`
    SELECT q.room_nid, ${membersOf(userId, sql`'{join,invite}'::text[]`)} AS present,
      ${membersOf(userId, sql`'{leave,ban}'::text[]`)} AS gone
    FROM unnest(${roomNids}::bigint[]) AS q (room_nid)
    WHERE NOT EXISTS (
      SELECT FROM roomserver_current_state c WHERE c.room_nid = q.room_nid AND c.state_key = ''
        AND (c.type = 'm.room.name' OR c.type = 'm.room.canonical_alias')
    )
  `.execute(deps.db);
  return new Map(result.rows.map((row) => [row.room_nid, row.present ?? row.gone ?? []]));
}

function membersOf(userId: string, memberships: ReturnType<typeof sql>): ReturnType<typeof sql> {
  return sql`(SELECT array_agg(user_id) FROM (
    SELECT user_id FROM roomserver_memberships m
    WHERE m.room_nid = q.room_nid AND m.user_id <> ${userId} AND m.membership = ANY(${memberships})
    ORDER BY m.user_id LIMIT ${maximumHeroes}
  ) AS others)`;
}
