import { type Kysely, sql, type Transaction } from 'kysely';

import type { RoomserverTables } from './tables.ts';

/** Those of `aliases` that are not aliases of this room. */
export async function pointsElsewhere(
  db: Kysely<RoomserverTables>,
  aliases: readonly string[],
  roomNid: number,
): Promise<string[]> {
  if (aliases.length === 0) return [];
  const result = await sql<{ alias: string }>`
    SELECT asked.alias FROM unnest(${[...aliases]}::text[]) AS asked (alias)
    WHERE NOT EXISTS (
      SELECT FROM roomserver_aliases a WHERE a.alias = asked.alias AND a.room_nid = ${roomNid}
    )
  `.execute(db);
  return result.rows.map((row) => row.alias);
}

/** Points an alias to a room; false when it is taken, or when the room is being deleted or gone. */
export async function insertAlias(
  db: Kysely<RoomserverTables>,
  alias: { alias: string; roomNid: number; creator: string },
): Promise<boolean> {
  // The lock on the room's row keeps a deletion from overlooking the alias.
  const result = await sql`
    INSERT INTO roomserver_aliases (alias, room_nid, creator, created_ts)
    SELECT ${alias.alias}, r.room_nid, ${alias.creator}, ${Date.now()}::bigint
    FROM roomserver_rooms r WHERE r.room_nid = ${alias.roomNid} AND NOT r.is_closed
    FOR KEY SHARE
    ON CONFLICT DO NOTHING
  `.execute(db);
  return (result.numAffectedRows ?? 0n) > 0n;
}

export async function findAlias(
  db: Kysely<RoomserverTables>,
  alias: string,
): Promise<{ room_nid: number; room_id: string; creator: string } | undefined> {
  return db
    .selectFrom('roomserver_aliases as a')
    .innerJoin('roomserver_rooms as r', 'r.room_nid', 'a.room_nid')
    .select(['a.room_nid', 'r.room_id', 'a.creator'])
    .where('a.alias', '=', alias)
    .executeTakeFirst();
}

export async function deleteAlias(db: Kysely<RoomserverTables>, alias: string): Promise<void> {
  await db.deleteFrom('roomserver_aliases').where('alias', '=', alias).execute();
}

/** Points all aliases of one room to another. */
export async function moveAliases(
  transaction: Transaction<RoomserverTables>,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await transaction
    .updateTable('roomserver_aliases')
    .set({ room_nid: to })
    .where('room_nid', '=', from)
    .execute();
}
