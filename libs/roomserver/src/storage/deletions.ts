import { type Kysely, sql, type Transaction } from 'kysely';

import { roomserver, type RoomserverFact } from '@seneschal/contracts';
import { allotPositions, insertFacts } from '@seneschal/database';

import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/** A deletion under way: by the room's number everything of the room is found, also when its row is gone. */
export interface Deletion {
  roomNid: number;
  roomId: string;
  deletionId: string;
  /** Null while the room can still be found. */
  purgedTs: number | null;
}

/**
 * Begins the deletion of a room, or finds the one that was begun and not finished. From here on only the
 * deletion writes to the room, and it is this one's. Undefined when there is no such room.
 */
export async function beginDeletion(
  transaction: Transaction<RoomserverTables>,
  asked: { roomId: string; deletionId: string; requestedBy: string },
): Promise<Deletion | undefined> {
  const room = await sql<{ room_nid: number }>`
    UPDATE roomserver_rooms SET is_closed = true WHERE room_id = ${asked.roomId} RETURNING room_nid
  `.execute(transaction);
  const roomNid = room.rows[0]?.room_nid;
  if (roomNid !== undefined) {
    await sql`
      INSERT INTO roomserver_deletions (room_nid, room_id, deletion_id, requested_by, created_ts)
      VALUES (${roomNid}, ${asked.roomId}, ${asked.deletionId}, ${asked.requestedBy}, ${Date.now()})
      ON CONFLICT (room_nid) DO UPDATE SET deletion_id = EXCLUDED.deletion_id
    `.execute(transaction);
  }
  return unfinishedDeletion(transaction, asked.roomId);
}

/** The deletion of a room that has not come to its end; there is one at the most. */
export async function unfinishedDeletion(db: Db, roomId: string): Promise<Deletion | undefined> {
  const row = await db
    .selectFrom('roomserver_deletions')
    .select(['room_nid', 'room_id', 'deletion_id', 'purged_ts'])
    .where('room_id', '=', roomId)
    .where('finished_ts', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    roomNid: row.room_nid,
    roomId: row.room_id,
    deletionId: row.deletion_id,
    purgedTs: row.purged_ts,
  };
}

/** Deletions of rooms that are closed and still there. */
export async function closedDeletions(db: Db): Promise<{ roomId: string; deletionId: string }[]> {
  const rows = await db
    .selectFrom('roomserver_deletions')
    .select(['room_id', 'deletion_id'])
    .where('purged_ts', 'is', null)
    .execute();
  return rows.map((row) => ({ roomId: row.room_id, deletionId: row.deletion_id }));
}

/** Gives a room back that was not yet taken away by this deletion; nothing of it has been deleted. */
export async function abandonDeletion(
  transaction: Transaction<RoomserverTables>,
  roomId: string,
  deletionId: string,
): Promise<void> {
  await sql`
    WITH abandoned AS (
      DELETE FROM roomserver_deletions
      WHERE room_id = ${roomId} AND deletion_id = ${deletionId} AND purged_ts IS NULL RETURNING room_nid
    ), unneeded AS (
      DELETE FROM roomserver_departures d USING abandoned a WHERE d.room_nid = a.room_nid
    )
    UPDATE roomserver_rooms r SET is_closed = false FROM abandoned a WHERE r.room_nid = a.room_nid
  `.execute(transaction);
}

/**
 * Takes the room away in one moment: from the commit on nobody finds it, its aliases are free, and whoever was
 * about to write to it finds that it is gone. Its rows are deleted afterwards. Answers the position of the fact.
 */
export async function detachRoom(
  transaction: Transaction<RoomserverTables>,
  deletion: Pick<Deletion, 'roomNid' | 'roomId'>,
): Promise<{ position: number; aliases: number }> {
  const { roomNid, roomId } = deletion;
  // The row's lock before the log's, which nobody holds for long: a writer may have to finish first.
  await sql`SELECT FROM roomserver_rooms WHERE room_nid = ${roomNid} FOR UPDATE`.execute(transaction);
  const aliases = await sql`DELETE FROM roomserver_aliases WHERE room_nid = ${roomNid}`.execute(transaction);
  const { table } = roomserver.roomserverOutput;
  const [position = 0] = await allotPositions(transaction, table, 1);
  const fact: RoomserverFact = { kind: 'room_purged', roomId };
  await insertFacts(transaction, table, [position], [fact]);
  await sql`DELETE FROM roomserver_rooms WHERE room_nid = ${roomNid}`.execute(transaction);
  await sql`
    UPDATE roomserver_deletions SET purged_ts = ${Date.now()}, purged_position = ${position}
    WHERE room_nid = ${roomNid}
  `.execute(transaction);
  return { position, aliases: Number(aliases.numAffectedRows ?? 0n) };
}

/** Adds to what the record of a deletion says was deleted. */
export async function recordDeleted(
  transaction: Transaction<RoomserverTables>,
  roomNid: number,
  deleted: Readonly<Record<string, number>>,
): Promise<void> {
  if (Object.keys(deleted).length === 0) return;
  await sql`
    UPDATE roomserver_deletions SET counts = counts || (
      SELECT jsonb_object_agg(store, coalesce((counts->>store)::bigint, 0) + rows::bigint)
      FROM jsonb_each_text(${JSON.stringify(deleted)}::jsonb) AS added (store, rows)
    ) WHERE room_nid = ${roomNid}
  `.execute(transaction);
}

/** Closes the record; nothing of the room is left. */
export async function finishDeletion(
  transaction: Transaction<RoomserverTables>,
  roomNid: number,
): Promise<void> {
  await transaction
    .updateTable('roomserver_deletions')
    .set({ finished_ts: Date.now() })
    .where('room_nid', '=', roomNid)
    .where('finished_ts', 'is', null)
    .execute();
}

/** Whether there was a room of this ID, and is none any more. */
export async function isGone(db: Db, roomId: string): Promise<boolean> {
  const result = await sql`
    SELECT 1 FROM roomserver_deletions x WHERE x.room_id = ${roomId} AND x.purged_ts IS NOT NULL
      AND NOT EXISTS (SELECT FROM roomserver_rooms r WHERE r.room_id = x.room_id) LIMIT 1
  `.execute(db);
  return result.rows.length > 0;
}
