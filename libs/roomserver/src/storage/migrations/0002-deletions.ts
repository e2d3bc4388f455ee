import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What deleting and restoring whole rooms takes. */
export const deletions = sqlMigration(async (db) => {
  await sql`ALTER TABLE roomserver_rooms
    -- While a room is being deleted or restored, nothing else writes to it.
    ADD COLUMN is_closed boolean NOT NULL DEFAULT false,
    -- Where in the stream an imported room appeared; its events and memberships may stand before it.
    ADD COLUMN imported_position bigint NOT NULL DEFAULT 0`.execute(db);
  // Kept after the room is gone. By the room's number, as a room ID may be deleted, restored and deleted again.
  await sql`CREATE TABLE roomserver_deletions (
    room_nid bigint PRIMARY KEY,
    room_id text NOT NULL,
    deletion_id text NOT NULL UNIQUE,
    requested_by text NOT NULL,
    created_ts bigint NOT NULL,
    -- Since then nobody can find the room; the position is that of the fact which says so.
    purged_ts bigint,
    purged_position bigint,
    finished_ts bigint,
    -- Deleted rows by store.
    counts jsonb NOT NULL DEFAULT '{}',
    -- A chain of SHA-256 over the event IDs in order, a thousand a link.
    digest text NOT NULL DEFAULT '',
    export_file text
  )`.execute(db);
  await sql`CREATE INDEX roomserver_rooms_closed ON roomserver_rooms (room_nid) WHERE is_closed`.execute(db);
  await sql`CREATE INDEX roomserver_deletions_room ON roomserver_deletions (room_id)`.execute(db);
  await sql`CREATE INDEX roomserver_deletions_closed ON roomserver_deletions (room_nid) WHERE purged_ts IS NULL`.execute(
    db,
  );
  await sql`CREATE INDEX roomserver_deletions_created ON roomserver_deletions (created_ts, room_nid)`.execute(
    db,
  );
  // Local users whose devices may still believe that they are in a room that is gone.
  await sql`CREATE TABLE roomserver_departures (
    room_nid bigint NOT NULL,
    user_id text NOT NULL,
    -- Of the event by which the user left; null when it was the deletion that ended the membership.
    position bigint,
    -- Devices that have been told and have come back since.
    seen_by text[] NOT NULL DEFAULT '{}',
    created_ts bigint NOT NULL,
    PRIMARY KEY (room_nid, user_id)
  )`.execute(db);
  await sql`CREATE INDEX roomserver_departures_user ON roomserver_departures (user_id, position)`.execute(db);
  await sql`CREATE INDEX roomserver_departures_created ON roomserver_departures (created_ts)`.execute(db);
  // The same key, but beginning with the room: it serves both a client's transaction and a room's deletion.
  await sql`ALTER TABLE roomserver_transactions DROP CONSTRAINT roomserver_transactions_pkey,
    ADD PRIMARY KEY (room_nid, user_id, device_id, transaction_id)`.execute(db);
  await sql`CREATE INDEX roomserver_memberships_local ON roomserver_memberships (room_nid)
    WHERE is_local AND membership = 'join'`.execute(db);
  // Reads stored events that may be damaged: NULL for what is no JSON.
  await sql`CREATE FUNCTION roomserver_json(text) RETURNS json LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN RETURN $1::json; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$`.execute(db);
  // Facts about events stand at the position of an event and are found by it.
  await sql`CREATE INDEX roomserver_output_room ON roomserver_output ((fact->>'roomId'), position)
    WHERE fact->>'kind' <> 'events_stored' AND fact->>'kind' <> 'room_purged'`.execute(db);
});
