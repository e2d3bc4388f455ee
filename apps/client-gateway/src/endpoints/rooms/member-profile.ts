import type { Profile, UserapiForClient } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

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

/** The content of a membership event that another server is asked for. */
export function memberContent(
  { displayname, avatarUrl }: MemberProfile,
  reason: string | undefined,
): JsonObject {
  return {
    ...(displayname === undefined ? {} : { displayname }),
    ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    ...(reason === undefined ? {} : { reason }),
  };
}
