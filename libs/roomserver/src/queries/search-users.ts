import { type RawBuilder, sql } from 'kysely';

import type { FoundUsers } from '@seneschal/contracts';

import { wordsOfTerm } from '../directory/words.ts';
import type { DirectoryUser } from '../storage/user-directory.ts';
import type { QueryDeps } from './query-deps.ts';

/** Of the words that begin like the longest of the term so many are looked at, whether the user may see them or not. */
const mostCandidates = 2000;
/** What no word goes beyond that begins with what stands before it. */
const last = '\u{10FFFF}';

/**
 * Users of whose name or ID every word of the term begins a word, the closest first: those who share a room with the user,
 * and those in rooms that anybody may join or read (client-server API, "User Directory"). The user is not among them.
 */
export async function searchUsers(
  deps: Pick<QueryDeps, 'db'>,
  userId: string,
  { term, limit }: { term: string; limit: number },
): Promise<FoundUsers> {
  const [first, ...others] = wordsOfTerm(term).sort((one, other) => other.length - one.length);
  if (first === undefined) return { users: [], isLimited: false };
  const found = await sql<DirectoryUser & { candidates: number }>`
    WITH candidates AS MATERIALIZED (
      SELECT word, user_id FROM roomserver_directory_words
      WHERE ${begins(sql`word`, first)} ORDER BY word, user_id LIMIT ${mostCandidates}
    )
    SELECT c.user_id AS "userId", u.displayname, u.avatar_url AS "avatarUrl",
      (SELECT count(*) FROM candidates) AS candidates
    FROM (SELECT user_id, min(word) AS word FROM candidates GROUP BY user_id) AS c
    JOIN roomserver_directory_users u USING (user_id)
    WHERE c.user_id <> ${userId} AND ${hasWords(others)} AND ${isVisible(userId)}
    ORDER BY c.word, c.user_id LIMIT ${limit + 1}
  `.execute(deps.db);
  const isCut = (found.rows[0]?.candidates ?? 0) >= mostCandidates;
  const users = found.rows
    .slice(0, limit)
    .map(({ userId: id, displayname, avatarUrl }) => ({ userId: id, displayname, avatarUrl }));
  return { users, isLimited: isCut || found.rows.length > limit };
}

function begins(column: RawBuilder<unknown>, prefix: string): RawBuilder<unknown> {
  return sql`(${column} >= ${prefix} AND ${column} < ${`${prefix}${last}`})`;
}

function hasWords(prefixes: readonly string[]): RawBuilder<unknown> {
  return sql`NOT EXISTS (
    SELECT FROM unnest(${[...prefixes]}::text[]) AS wanted (prefix) WHERE NOT EXISTS (
      SELECT FROM roomserver_directory_words w WHERE w.user_id = c.user_id
        AND w.word >= wanted.prefix AND w.word < wanted.prefix || ${last}
    )
  )`;
}

function isVisible(userId: string): RawBuilder<unknown> {
  return sql`EXISTS (
    SELECT FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = c.user_id AND m.membership = 'join' AND (r.is_public OR EXISTS (
      SELECT FROM roomserver_memberships own
      WHERE own.room_nid = m.room_nid AND own.user_id = ${userId} AND own.membership = 'join'
    ))
  )`;
}
