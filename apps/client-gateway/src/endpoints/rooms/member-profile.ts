import type { Profile, UserapiForClient } from '@seneschal/contracts';

export interface MemberProfile {
  displayname?: string;
  avatarUrl?: string;
}

/** What a membership event says of a user. */
export function toMemberProfile(profile: Profile | undefined): MemberProfile {
  const displayname = profile?.displayname ?? undefined;
  const avatarUrl = profile?.avatarUrl ?? undefined;
  return {
    ...(displayname === undefined ? {} : { displayname }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
  };
}

export async function memberProfile(
  userapi: Pick<UserapiForClient, 'profile'>,
  userId: string,
): Promise<MemberProfile> {
  return toMemberProfile(await userapi.profile(userId));
}
