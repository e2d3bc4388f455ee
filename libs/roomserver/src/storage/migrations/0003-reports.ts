import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What users have reported. By room ID: a report can be read whatever has become of the room. */
export const reports = sqlMigration(async (db) => {
  await sql`CREATE TABLE roomserver_reports (
    report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('event', 'room', 'user')),
    received_ts bigint NOT NULL,
    reporter text NOT NULL,
    reason text NOT NULL,
    score int NOT NULL,
    room_id text,
    event_id text,
    sender text,
    -- As it was when it was reported: a redaction afterwards does not take it away.
    event_json text,
    target_user_id text,
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'assigned', 'resolved')),
    assignee text,
    note text,
    updated_ts bigint,
    updated_by text
  )`.execute(db);
  await sql`CREATE INDEX roomserver_reports_room ON roomserver_reports (room_id, report_id)`.execute(db);
  await sql`CREATE INDEX roomserver_reports_kind ON roomserver_reports (kind, report_id)`.execute(db);
  await sql`CREATE INDEX roomserver_reports_status ON roomserver_reports (status, report_id)`.execute(db);
});
