import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Finds the redactions of an event that comes after them: other servers keep to no order. */
export const redactions = sqlMigration(async (db) => {
  await sql`CREATE FUNCTION roomserver_redacts(text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE value text;
    BEGIN
      value := coalesce($1::json #>> ARRAY['content', 'redacts'], $1::json ->> 'redacts');
      RETURN CASE WHEN octet_length(value) <= 255 THEN value END;
    EXCEPTION WHEN OTHERS THEN RETURN NULL;
    END $$`.execute(db);
  await sql`CREATE INDEX roomserver_events_redactions ON roomserver_events (roomserver_redacts(json))
    WHERE type = 'm.room.redaction'`.execute(db);
});
