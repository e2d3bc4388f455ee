import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What events of other servers take: forks, and events that clients do not see. */
export const federation = sqlMigration(async (db) => {
  await sql`ALTER TABLE roomserver_events
    -- State that came without its place in the history: part of the state, and of no timeline.
    ADD COLUMN is_outlier boolean NOT NULL DEFAULT false`.execute(db);
  await sql`CREATE INDEX roomserver_events_outliers ON roomserver_events (room_nid, position) WHERE is_outlier`.execute(
    db,
  );
  await sql`CREATE TABLE roomserver_hidden_events (
    event_id text PRIMARY KEY,
    room_nid bigint NOT NULL,
    -- outlier, rejected, soft_failed, or superseded: state that lost against other state when it came.
    kind text NOT NULL,
    json text NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX roomserver_hidden_events_room ON roomserver_hidden_events (room_nid, event_id)`.execute(
    db,
  );
  // The state before an event that is not simply the room's state just before the event's position.
  await sql`CREATE TABLE roomserver_event_states (
    event_id text PRIMARY KEY,
    room_nid bigint NOT NULL,
    -- The room's state as of this position …
    base bigint NOT NULL,
    -- … but for these: [type, state key, event ID or null], each.
    changes jsonb NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX roomserver_event_states_room ON roomserver_event_states (room_nid, event_id)`.execute(
    db,
  );
  // Where a state resolution brought back an event that stands earlier, or (null) left nothing.
  await sql`CREATE TABLE roomserver_state_overrides (
    room_nid bigint NOT NULL,
    type text NOT NULL,
    state_key text NOT NULL,
    position bigint NOT NULL,
    event_position bigint,
    PRIMARY KEY (room_nid, type, state_key, position)
  )`.execute(db);
  // Other servers by how many of their users are joined: what an event is sent to, without looking at members.
  await sql`CREATE TABLE roomserver_room_servers (
    room_nid bigint NOT NULL,
    server_name text NOT NULL,
    joined_members int NOT NULL,
    PRIMARY KEY (room_nid, server_name)
  )`.execute(db);
  // What another server told of a room when it invited one of our users.
  await sql`CREATE TABLE roomserver_invite_states (
    room_nid bigint NOT NULL,
    user_id text NOT NULL,
    events jsonb NOT NULL,
    PRIMARY KEY (room_nid, user_id)
  )`.execute(db);
});
