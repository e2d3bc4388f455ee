import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Finds the rooms of a server, which so far only the servers of a room were found by. */
export const serversOfRooms = sqlMigration(async (db) => {
  await sql`CREATE INDEX roomserver_room_servers_server ON roomserver_room_servers (server_name)`.execute(db);
});
