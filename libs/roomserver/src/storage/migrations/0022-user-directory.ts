import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Whom users find by name: everybody who was ever seen in a room, by the words of name and ID. */
export const userDirectory = sqlMigration(async (db) => {
  await sql`CREATE TABLE roomserver_directory_users (
    user_id text PRIMARY KEY,
    displayname text,
    avatar_url text
  )`.execute(db);
  // Compared by code points, so that the words that begin alike stand together.
  await sql`CREATE TABLE roomserver_directory_words (
    word text COLLATE "C" NOT NULL,
    user_id text NOT NULL,
    PRIMARY KEY (word, user_id)
  )`.execute(db);
  await sql`CREATE INDEX roomserver_directory_words_user
    ON roomserver_directory_words (user_id, word)`.execute(db);
  // Whether anybody may join the room, or read it.
  await sql`ALTER TABLE roomserver_rooms ADD COLUMN is_public boolean NOT NULL DEFAULT false`.execute(db);
  await sql`CREATE FUNCTION roomserver_opens(text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      RETURN coalesce($1::json #>> '{content,join_rule}' = 'public', false)
        OR coalesce($1::json #>> '{content,history_visibility}' = 'world_readable', false);
    EXCEPTION WHEN OTHERS THEN RETURN false;
    END $$`.execute(db);
  await sql`UPDATE roomserver_rooms r SET is_public = true WHERE EXISTS (
    SELECT FROM roomserver_current_state c JOIN roomserver_events e USING (position)
    WHERE c.room_nid = r.room_nid AND c.state_key = ''
      AND c.type IN ('m.room.join_rules', 'm.room.history_visibility') AND roomserver_opens(e.json)
  )`.execute(db);
  await sql`DROP FUNCTION roomserver_opens(text)`.execute(db);
});
