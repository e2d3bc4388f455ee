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
