import { sql } from 'kysely';

import { createLogTable, sqlMigration } from '@seneschal/database';

/** Without foreign keys on the bulk tables: a cascade costs 2 to 4 times the CPU of deletes by key. */
export const rooms = sqlMigration(async (db) => {
  await createLogTable(db, 'roomserver_output');
  await sql`CREATE TABLE roomserver_rooms (
    room_nid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id text NOT NULL UNIQUE,
    room_version text NOT NULL,
    -- Event IDs that the next event names as prev_events.
    forward_extremities text[] NOT NULL,
    depth bigint NOT NULL,
    last_position bigint NOT NULL,
    -- Position of the last change to state other than memberships: what a cache of that state is valid for.
    state_position bigint NOT NULL,
    joined_members int NOT NULL,
    invited_members int NOT NULL,
    is_listed boolean NOT NULL DEFAULT false,
    created_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX roomserver_rooms_listed ON roomserver_rooms (joined_members DESC, room_nid) WHERE is_listed`.execute(
    db,
  );
  await sql`CREATE TABLE roomserver_events (
    position bigint PRIMARY KEY,
    room_nid bigint NOT NULL,
    event_id text NOT NULL UNIQUE,
    type text NOT NULL,
    state_key text,
    sender text NOT NULL,
    -- The canonical text that was signed; after a redaction, the text of the redacted event.
    json text NOT NULL,
    -- Position of the state event of the same type and key that this one replaced.
    replaces bigint,
    -- Position of the redaction that took the content away.
    redacted_by bigint
  )`.execute(db);
  await sql`CREATE INDEX roomserver_events_room ON roomserver_events (room_nid, position)`.execute(db);
  await sql`CREATE INDEX roomserver_events_state ON roomserver_events (room_nid, type, state_key, position)
    WHERE state_key IS NOT NULL`.execute(db);
  await sql`CREATE TABLE roomserver_current_state (
    room_nid bigint NOT NULL,
    type text NOT NULL,
    state_key text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (room_nid, type, state_key)
  )`.execute(db);
  await sql`CREATE TABLE roomserver_memberships (
    room_nid bigint NOT NULL,
    user_id text NOT NULL,
    membership text NOT NULL,
    position bigint NOT NULL,
    is_local boolean NOT NULL,
    is_forgotten boolean NOT NULL DEFAULT false,
    PRIMARY KEY (room_nid, user_id)
  )`.execute(db);
  await sql`CREATE INDEX roomserver_memberships_user ON roomserver_memberships (user_id, membership)`.execute(
    db,
  );
  await sql`CREATE TABLE roomserver_aliases (
    alias text PRIMARY KEY,
    room_nid bigint NOT NULL,
    creator text NOT NULL,
    created_ts bigint NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX roomserver_aliases_room ON roomserver_aliases (room_nid)`.execute(db);
  await sql`CREATE TABLE roomserver_transactions (
    user_id text NOT NULL,
    device_id text NOT NULL,
    transaction_id text NOT NULL,
    room_nid bigint NOT NULL,
    event_id text NOT NULL,
    created_ts bigint NOT NULL,
    PRIMARY KEY (user_id, device_id, transaction_id, room_nid)
  )`.execute(db);
  await sql`CREATE INDEX roomserver_transactions_event ON roomserver_transactions (event_id)`.execute(db);
  // By room ID, because a block outlives the room.
  await sql`CREATE TABLE roomserver_blocked_rooms (
    room_id text PRIMARY KEY,
    blocked_by text NOT NULL,
    created_ts bigint NOT NULL
  )`.execute(db);
});
