import { type Kysely, sql } from 'kysely';

import { wordsOfUser } from '../directory/words.ts';
import type { RoomserverTables } from './tables.ts';

type Db = Kysely<RoomserverTables>;

/** A user as the directory shows them. */
export interface DirectoryUser {
  userId: string;
  displayname: string | null;
  avatarUrl: string | null;
}

/** Enters users, or what they are called now; those of whom nothing changed cost no write. */
export async function upsertDirectory(db: Db, users: readonly DirectoryUser[]): Promise<void> {
  if (users.length === 0) return;
  const changed = await sql<{ user_id: string }>`
    INSERT INTO roomserver_directory_users AS known (user_id, displayname, avatar_url)
    SELECT * FROM unnest(
      ${users.map((user) => user.userId)}::text[], ${users.map((user) => user.displayname)}::text[],
      ${users.map((user) => user.avatarUrl)}::text[]
    )
    ON CONFLICT (user_id) DO UPDATE SET displayname = excluded.displayname, avatar_url = excluded.avatar_url
    WHERE (known.displayname, known.avatar_url) IS DISTINCT FROM (excluded.displayname, excluded.avatar_url)
    RETURNING user_id
  `.execute(db);
  const ids = new Set(changed.rows.map((row) => row.user_id));
  const words = users
    .filter(({ userId }) => ids.has(userId))
    .flatMap(({ userId, displayname }) => wordsOfUser(userId, displayname).map((word) => ({ userId, word })));
  await sql`DELETE FROM roomserver_directory_words WHERE user_id = ANY(${[...ids]}::text[])`.execute(db);
  await sql`
    INSERT INTO roomserver_directory_words (word, user_id) SELECT * FROM unnest(
      ${words.map(({ word }) => word)}::text[], ${words.map(({ userId }) => userId)}::text[]
    ) ON CONFLICT DO NOTHING
  `.execute(db);
}

export async function removeFromDirectory(db: Db, userId: string): Promise<void> {
  for (const table of ['roomserver_directory_words', 'roomserver_directory_users']) {
    await sql`DELETE FROM ${sql.id(table)} WHERE user_id = ${userId}`.execute(db);
  }
}

/** The membership events by which users are known now, one each: the newest of those who are joined anywhere. */
export async function newestMemberEvents(db: Db, userIds: readonly string[]): Promise<Map<string, string>> {
  if (userIds.length === 0) return new Map();
  const found = await sql<{ user_id: string; json: string }>`
    SELECT q.user_id, e.json FROM unnest(${[...userIds]}::text[]) AS q (user_id)
    CROSS JOIN LATERAL (
      SELECT position FROM roomserver_memberships m
      WHERE m.user_id = q.user_id AND m.membership = 'join' ORDER BY position DESC LIMIT 1
    ) AS newest JOIN roomserver_events e ON e.position = newest.position
  `.execute(db);
  return new Map(found.rows.map((row) => [row.user_id, row.json]));
}
