import { type Kysely, sql, type Transaction } from 'kysely';

import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/** A user whose rooms are to follow the profile, from a room on. */
export interface ProfileUpdate {
  userId: string;
  position: number;
  doneUpTo: number;
  attempts: number;
}

/** Begins updates, those that are under way from the first room on. */
export async function beginUpdates(
  transaction: Transaction<RoomserverTables>,
  changes: ReadonlyMap<string, number>,
): Promise<void> {
  if (changes.size === 0) return;
  await sql`
    INSERT INTO roomserver_profile_updates (user_id, position, done_up_to, due_ts, attempts)
    SELECT user_id, position, 0, 0, 0
    FROM unnest(${[...changes.keys()]}::text[], ${[...changes.values()]}::bigint[]) AS new (user_id, position)
    ON CONFLICT (user_id) DO UPDATE SET position = excluded.position, done_up_to = 0, due_ts = 0, attempts = 0
  `.execute(transaction);
}

/** Takes updates that are due, so that no other process does; they come due again when this one dies. */
export async function claimUpdates(
  db: Db,
  claim: { limit: number; now: number; leaseMs: number },
): Promise<ProfileUpdate[]> {
  const result = await sql<ProfileUpdate>`
    UPDATE roomserver_profile_updates SET due_ts = ${claim.now + claim.leaseMs}::bigint
    WHERE user_id = ANY(ARRAY(
      SELECT user_id FROM roomserver_profile_updates WHERE due_ts <= ${claim.now}
      ORDER BY due_ts, position LIMIT ${claim.limit} FOR UPDATE SKIP LOCKED
    ))
    RETURNING user_id AS "userId", position, done_up_to AS "doneUpTo", attempts
  `.execute(db);
  return result.rows;
}

/** A page of the rooms that a user is joined to, in the order of their numbers. */
export async function joinedRoomsAfter(
  db: Db,
  userId: string,
  after: number,
  limit: number,
): Promise<{ roomNid: number; roomId: string }[]> {
  const result = await sql<{ roomNid: number; roomId: string }>`
    SELECT r.room_nid AS "roomNid", r.room_id AS "roomId"
    FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' AND m.room_nid > ${after}
    ORDER BY m.room_nid LIMIT ${limit}
  `.execute(db);
  return result.rows;
}

/** Goes on after a page, unless the profile has changed again meanwhile; without a room the update is done. */
export async function advanceUpdate(
  db: Db,
  { userId, position }: ProfileUpdate,
  doneUpTo: number | undefined,
): Promise<void> {
  const change =
    doneUpTo === undefined
      ? sql`DELETE FROM roomserver_profile_updates`
      : sql`UPDATE roomserver_profile_updates SET done_up_to = ${doneUpTo}, due_ts = 0, attempts = 0`;
  await sql`${change} WHERE user_id = ${userId} AND position = ${position}`.execute(db);
}

/** Tries the same page again later. */
export async function postponeUpdate(
  db: Db,
  { userId, position }: ProfileUpdate,
  dueTs: number,
): Promise<void> {
  await sql`UPDATE roomserver_profile_updates SET due_ts = ${dueTs}, attempts = attempts + 1
    WHERE user_id = ${userId} AND position = ${position}`.execute(db);
}
