import { sql } from 'kysely';

import type { FullProfile, Profile } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

interface Row {
  user_id: string;
  displayname: string | null;
  avatar_url: string | null;
}

/** Profiles of local users; unknown users are left out. */
export async function profiles(db: UserapiDb, userIds: readonly string[]): Promise<Map<string, Profile>> {
  if (userIds.length === 0) return new Map();
  const result = await sql<Row>`
    SELECT user_id, displayname, avatar_url FROM userapi_profiles WHERE user_id = ANY(${userIds}::text[])
  `.execute(db);
  return new Map(
    result.rows.map((row) => [row.user_id, { displayname: row.displayname, avatarUrl: row.avatar_url }]),
  );
}

/** The profile of a local user with everything that is in it. */
export async function profile(db: UserapiDb, userId: string): Promise<FullProfile | undefined> {
  return db
    .selectFrom('userapi_profiles')
    .select(['displayname', 'avatar_url as avatarUrl', 'fields'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
}
