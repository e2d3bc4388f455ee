import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/**
 * What an event is related to, as columns that PostgreSQL makes out of its text: so they are there from the moment of
 * the event, and gone with the content that a redaction takes away. Events that cannot be read have none.
 */
export const relations = sqlMigration(async (db) => {
  // Longer names than an event ID or type may have are none, and would not fit into an index.
  await sql`CREATE FUNCTION roomserver_relation(text, text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE value json;
    BEGIN
      IF strpos($1, '"m.relates_to"') = 0 THEN RETURN NULL; END IF;
      value := $1::json #> ARRAY['content', 'm.relates_to', $2];
      IF json_typeof(value) = 'string' AND octet_length(value #>> '{}') <= 255 THEN RETURN value #>> '{}'; END IF;
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN RETURN NULL;
    END $$`.execute(db);
  await sql`ALTER TABLE roomserver_events
    ADD COLUMN relates_to text GENERATED ALWAYS AS (roomserver_relation(json, 'event_id')) STORED,
    ADD COLUMN rel_type text GENERATED ALWAYS AS (roomserver_relation(json, 'rel_type')) STORED`.execute(db);
  await sql`CREATE INDEX roomserver_events_relations ON roomserver_events (relates_to, rel_type, position)
    WHERE relates_to IS NOT NULL`.execute(db);
  await sql`CREATE INDEX roomserver_events_threads ON roomserver_events (room_nid, position)
    WHERE rel_type = 'm.thread'`.execute(db);
});
