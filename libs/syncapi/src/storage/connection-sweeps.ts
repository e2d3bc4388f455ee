import { type Kysely, sql } from 'kysely';

import { deleteConnections } from './connections.ts';
import type { SyncapiTables } from './tables.ts';

type Db = Kysely<SyncapiTables>;

/** What connections know of rooms that are gone. */
export async function forgetRooms(db: Db, roomIds: readonly string[]): Promise<void> {
  if (roomIds.length === 0) return;
  await sql`DELETE FROM syncapi_connection_rooms WHERE room_id = ANY(${[...roomIds]}::text[])`.execute(db);
}

/** The connections of a user's devices but those that the user has. */
export async function forgetDevices(db: Db, userId: string, devicesLeft: readonly string[]): Promise<void> {
  const found = await sql<{ connection_id: number }>`
    SELECT connection_id FROM syncapi_connections
    WHERE user_id = ${userId} AND device_id <> ALL (${[...devicesLeft]}::text[])
  `.execute(db);
  await deleteConnections(
    db,
    found.rows.map((row) => row.connection_id),
  );
}

/** A batch of connections that nobody used since `before` (ms); answers how many they were. */
export async function forgetUnused(db: Db, before: number, limit: number): Promise<number> {
  const found = await sql<{ connection_id: number }>`
    SELECT connection_id FROM syncapi_connections WHERE used_ts < ${before} ORDER BY used_ts LIMIT ${limit}
  `.execute(db);
  await deleteConnections(
    db,
    found.rows.map((row) => row.connection_id),
  );
  return found.rows.length;
}

/** The users of a page who have connections, in order. */
export async function usersOfConnections(db: Db, after: string, limit: number): Promise<string[]> {
  const found = await sql<{ user_id: string }>`
    SELECT DISTINCT user_id FROM syncapi_connections WHERE user_id > ${after} ORDER BY user_id LIMIT ${limit}
  `.execute(db);
  return found.rows.map((row) => row.user_id);
}

/** The rooms of a page that connections know of, in order. */
export async function roomsOfConnections(db: Db, after: string, limit: number): Promise<string[]> {
  const found = await sql<{ room_id: string }>`
    SELECT DISTINCT room_id FROM syncapi_connection_rooms WHERE room_id > ${after}
    ORDER BY room_id LIMIT ${limit}
  `.execute(db);
  return found.rows.map((row) => row.room_id);
}
