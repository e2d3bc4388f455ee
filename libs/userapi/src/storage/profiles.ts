import { sql } from 'kysely';

import type { FullProfile } from '@seneschal/contracts';
import { MatrixError, notFound } from '@seneschal/matrix';

import type { UserapiTransaction } from './tables.ts';

export interface ProfileRow {
  userId: string;
  displayname: string | null;
  avatarUrl: string | null;
}

export async function insertProfile(trx: UserapiTransaction, profile: ProfileRow): Promise<void> {
  await trx
    .insertInto('userapi_profiles')
    .values({
      user_id: profile.userId,
      displayname: profile.displayname,
      avatar_url: profile.avatarUrl,
    })
    .execute();
}

/** Reads a profile and locks it to the end of the transaction. Throws M_NOT_FOUND. */
export async function lockProfile(trx: UserapiTransaction, userId: string): Promise<FullProfile> {
  const row = await trx
    .selectFrom('userapi_profiles')
    .select(['displayname', 'avatar_url as avatarUrl', 'fields'])
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound('There is no such account.');
  return row;
}

export async function eraseProfile(trx: UserapiTransaction, userId: string): Promise<void> {
  await sql`UPDATE userapi_profiles SET displayname = NULL, avatar_url = NULL, fields = '{}'
    WHERE user_id = ${userId}`.execute(trx);
}

/** Client-server API, `PUT /profile/{userId}/{keyName}`. */
const mostBytes = 65_535;

/** Stores a profile. M_PROFILE_TOO_LARGE when it is 64 KiB or more. */
export async function updateProfile(
  trx: UserapiTransaction,
  userId: string,
  { displayname, avatarUrl, fields }: FullProfile,
): Promise<void> {
  const whole = JSON.stringify({ displayname, avatar_url: avatarUrl, ...fields });
  if (Buffer.byteLength(whole) > mostBytes) {
    throw new MatrixError(400, 'M_PROFILE_TOO_LARGE', 'A profile is smaller than 64 KiB.');
  }
  await sql`
    UPDATE userapi_profiles
    SET displayname = ${displayname}, avatar_url = ${avatarUrl}, fields = ${JSON.stringify(fields)}::json
    WHERE user_id = ${userId}
  `.execute(trx);
}
