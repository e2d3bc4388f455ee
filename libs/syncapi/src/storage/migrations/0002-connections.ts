import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What devices were told by sliding sync. */
export const connections = sqlMigration(async (db) => {
  await sql`CREATE TABLE syncapi_connections (
    connection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    device_id text NOT NULL,
    -- The name by which the device tells its connections apart; empty when it gives none.
    conn_id text NOT NULL,
    -- The answer that the client has come back with, and the last one that was given.
    acked bigint NOT NULL,
    issued bigint NOT NULL,
    -- What state was asked for of rooms, as lists of type and key; rooms name them by their place.
    configs jsonb NOT NULL,
    created_ts bigint NOT NULL,
    used_ts bigint NOT NULL,
    UNIQUE (user_id, device_id, conn_id)
  )`.execute(db);
  await sql`CREATE INDEX syncapi_connections_used ON syncapi_connections (used_ts)`.execute(db);
  await sql`CREATE TABLE syncapi_connection_rooms (
    connection_id bigint NOT NULL,
    room_id text NOT NULL,
    -- The answer that told this. Up to the one that the client has come back with, a room has one row.
    seq bigint NOT NULL,
    membership text NOT NULL,
    is_gone boolean NOT NULL,
    told_up_to bigint NOT NULL,
    timeline_limit int NOT NULL,
    config int NOT NULL,
    bump bigint NOT NULL,
    is_dm boolean NOT NULL,
    -- Whose membership events were told because of what they sent.
    members text[] NOT NULL,
    PRIMARY KEY (connection_id, room_id, seq)
  )`.execute(db);
  await sql`CREATE INDEX syncapi_connection_rooms_room ON syncapi_connection_rooms (room_id)`.execute(db);
});
